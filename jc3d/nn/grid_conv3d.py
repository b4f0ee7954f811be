"""A 3³ convolution of a grid."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from jc3d.nn.packed_weight import PackingModule, leaky_relu
from jc3d.ops import pack_winograd_weight, winograd_conv3d_packed

_FEW_CHANNELS = 16  # below, the CPU kernel's panels are mostly empty


class GridConv3d(PackingModule, nn.Conv3d):
    """3³ convolution with padding 1, (B, in, D, H, W) -> (B, out, D, H, W).

    For inference on a CPU a frozen one goes through :func:`jc3d.ops.winograd_conv3d`.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=3, padding=1)

    def forward(self, x: Tensor, negative_slope: float = 1.0) -> Tensor:
        """Convolves, then LeakyReLU; a slope of 1 is none."""
        return self.convolve(x, self.bias, negative_slope)

    def convolve(self, x: Tensor, bias: Tensor | None, negative_slope: float = 1.0) -> Tensor:
        """The same with another bias or none."""
        packed = None
        if self.out_channels >= _FEW_CHANNELS:
            packed = self.packed("winograd_conv3d", x, self.weight, pack_winograd_weight)
        if packed is not None:
            return winograd_conv3d_packed(x, packed, bias, self.out_channels, negative_slope)
        return leaky_relu(F.conv3d(x, self.weight, bias, padding=1), negative_slope)
