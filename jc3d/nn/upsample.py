"""Nearest-neighbour doubling followed by a 3³ convolution, as one exact transposed convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def fold_nearest_into_kernel(weight: Tensor) -> Tensor:
    """The transposed convolution that equals nearest ×2 and then a 3³ convolution.

    Along each axis the upsampled signal repeats every sample twice, so the flipped 3-tap kernel is convolved with
    (1, 1): with stride 2 and padding 1 the four taps are (w2, w1 + w2, w0 + w1, w0). That is 27/8 fewer
    multiply-adds, and exact.

    Args:
        weight: (out, in, 3, 3, 3), a convolution's kernel.

    Returns:
        (in, out, 4, 4, 4), for ``conv_transpose3d(stride=2, padding=1)``.
    """
    kernel = weight.flip(2, 3, 4).transpose(0, 1)
    for pad_low, pad_high in (((1, 0), (0, 1)), ((0, 0, 1, 0), (0, 0, 0, 1)), ((0, 0, 0, 0, 1, 0), (0, 0, 0, 0, 0, 1))):
        kernel = F.pad(kernel, pad_low) + F.pad(kernel, pad_high)
    return kernel


class UpsampleConv3d(nn.Module):
    """Nearest ×2 + 3³ convolution, (B, in, D, H, W) -> (B, out, 2D, 2H, 2W).

    The parameters are those of the 3³ convolution, so checkpoints of the published layout load unchanged.
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        conv = nn.Conv3d(in_channels, out_channels, kernel_size=3, padding=1, bias=bias)
        self.weight = conv.weight
        self.bias = conv.bias

    def forward(self, x: Tensor) -> Tensor:
        """Doubles the grid."""
        kernel = fold_nearest_into_kernel(self.weight)
        if torch.is_autocast_enabled(x.device.type):
            kernel = kernel.to(torch.get_autocast_dtype(x.device.type))
        return F.conv_transpose3d(x, kernel, self.bias, stride=2, padding=1)
