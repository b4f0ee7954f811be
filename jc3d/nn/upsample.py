"""Nearest-neighbour doubling followed by a 3³ convolution, as one exact transposed convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jc3d.nn.packed_weight import PackingModule, leaky_relu
from jc3d.ops import pack_upsample_weight, upsample_conv3d_packed


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


# Along an axis: y[2a] = w0·x[a-1] + (w1 + w2)·x[a] and y[2a+1] = (w0 + w1)·x[a] + w2·x[a+1].
_PHASES = (((1, 0, 0), (0, 1, 1), (0, 0, 0)), ((0, 0, 0), (1, 1, 0), (0, 0, 1)))  # phase, tap on x, tap of w

_FEW_CHANNELS = 4


def fold_nearest_into_phases(weight: Tensor) -> Tensor:
    """The 3³ convolution on the small grid whose output channels are the eight phases of the doubled one.

    More multiply-adds than :func:`fold_nearest_into_kernel` (many taps are zero), but a matrix product eight times as
    wide, which suits layers with few output channels.

    Args:
        weight: (out, in, 3, 3, 3), a convolution's kernel.

    Returns:
        (out·8, in, 3, 3, 3); phases (z, y, x) vary faster than channels.
    """
    phases = torch.tensor(_PHASES, dtype=weight.dtype, device=weight.device)
    folded = torch.einsum("oiabc,pxa,qyb,rzc->opqrixyz", weight, phases, phases, phases)
    return folded.flatten(0, 3)


class UpsampleConv3d(PackingModule):
    """Nearest ×2 + 3³ convolution, (B, in, D, H, W) -> (B, out, 2D, 2H, 2W).

    The parameters are those of the 3³ convolution, so checkpoints of the published layout load unchanged. In training
    and on a GPU it is a transposed convolution, whose kernel a frozen one folds once; for inference on a CPU a frozen
    one goes through :func:`jc3d.ops.upsample_conv3d`.
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        conv = nn.Conv3d(in_channels, out_channels, kernel_size=3, padding=1, bias=bias)
        self.weight = conv.weight
        self.bias = conv.bias

    def forward(self, x: Tensor, negative_slope: float = 1.0) -> Tensor:
        """Doubles the grid and convolves, then LeakyReLU; a slope of 1 is none."""
        packed = None
        if len(self.weight) > _FEW_CHANNELS:
            packed = self.packed("upsample_conv3d", x, self.weight, pack_upsample_weight)
        if packed is not None:
            return upsample_conv3d_packed(x, packed, self.bias, len(self.weight), negative_slope)
        return leaky_relu(self._convolve(x), negative_slope)

    def _convolve(self, x: Tensor) -> Tensor:
        weight, bias = self.weight, self.bias
        if len(weight) > _FEW_CHANNELS:
            kernel = self.of_frozen("kernel", (weight,), lambda: fold_nearest_into_kernel(weight))
            if torch.is_autocast_enabled(x.device.type):
                kernel = kernel.to(torch.get_autocast_dtype(x.device.type))
            return F.conv_transpose3d(x, kernel, bias, stride=2, padding=1)
        repeated = None if bias is None else bias[:, None].expand(-1, 8).flatten()
        phases = F.conv3d(x, fold_nearest_into_phases(weight), repeated, padding=1)
        batch, _, depth, height, width = phases.shape
        phases = phases.view(batch, len(weight), 2, 2, 2, depth, height, width)
        return phases.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(batch, len(weight), 2 * depth, 2 * height, 2 * width)
