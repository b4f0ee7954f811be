"""Convolutions of grids."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from jc3d.nn.batch_norm import BatchNorm3d
from jc3d.nn.conv_block import NEGATIVE_SLOPE, ConvBlock
from jc3d.nn.grid_conv3d import GridConv3d
from jc3d.nn.upsample import UpsampleConv3d


class GridBlock(ConvBlock):
    """3³ convolution, norm and LeakyReLU, (B, in, S, S, S) -> (B, out, S, S, S), or (B, out, 2S, 2S, 2S).

    Without a norm, convolution and LeakyReLU are one op for inference on a CPU.

    Args:
        in_channels: input channels.
        out_channels: output channels.
        doubles: the grid is doubled by nearest neighbours before it is convolved.
        norm: batch normalisation.
    """

    conv: GridConv3d | UpsampleConv3d

    def __init__(self, in_channels: int, out_channels: int, doubles: bool, norm: bool) -> None:
        super().__init__()
        self.conv = (UpsampleConv3d if doubles else GridConv3d)(in_channels, out_channels)
        self.norm = BatchNorm3d(out_channels) if norm else nn.Identity()

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """Convolves, normalises, adds ``skip`` of the result's shape if there is one, activates."""
        if skip is None and isinstance(self.norm, nn.Identity):
            activated: Tensor = self.conv(x, NEGATIVE_SLOPE)
            return activated
        x = self.norm(self.conv(x))
        return F.leaky_relu(x if skip is None else x + skip, NEGATIVE_SLOPE)
