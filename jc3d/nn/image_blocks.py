"""Convolutions of images."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from jc3d.nn.batch_norm import BatchNorm2d
from jc3d.nn.conv_block import NEGATIVE_SLOPE, ConvBlock
from jc3d.nn.packed_weight import PackingModule
from jc3d.ops import conv2d_max_pool_packed, pack_conv2d_max_pool_weight


class DownsampleConv2d(PackingModule, ConvBlock):
    """Convolution, norm, shrinking and LeakyReLU, (N, in, H, W) -> (N, out, H/stride, W/stride).

    For inference on a CPU all of a frozen one with 2×2 max-pooling is :func:`jc3d.ops.conv2d_max_pool`.

    Args:
        in_channels: input channels.
        out_channels: output channels.
        kernel_size: odd.
        stride: factor by which the image shrinks.
        downsample: ``"pool"``: convolution at full resolution, then max-pooling (the paper); ``"stride"``: a strided
            convolution, many times cheaper at the first layer.
        norm: batch normalisation after it (training only: packaged weights have it folded in).
        activation: whether LeakyReLU ends it.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int,
        downsample: Literal["pool", "stride"],
        norm: bool,
        activation: bool = False,
    ) -> None:
        super().__init__()
        conv_stride = stride if downsample == "stride" else 1
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, conv_stride, padding=kernel_size // 2)
        self.norm = BatchNorm2d(out_channels) if norm else nn.Identity()
        self.pool = nn.MaxPool2d(stride) if downsample == "pool" else nn.Identity()
        self.activation = nn.LeakyReLU(NEGATIVE_SLOPE) if activation else nn.Identity()
        self._pools_by_two = downsample == "pool" and stride == 2 and not norm

    def forward(self, x: Tensor) -> Tensor:
        """Convolves, normalises, shrinks, activates."""
        packed = None
        if self._pools_by_two:
            packed = self.packed("conv2d_max_pool", x, self.conv.weight, pack_conv2d_max_pool_weight)
        if packed is not None:
            slope = NEGATIVE_SLOPE if isinstance(self.activation, nn.LeakyReLU) else 1.0
            return conv2d_max_pool_packed(x, packed, self.conv.bias, self.conv.out_channels, slope)
        result: Tensor = self.activation(self.pool(self.norm(self.conv(x))))
        return result

    def has_kernel(self, x: Tensor) -> bool:
        """Whether :func:`jc3d.ops.conv2d_max_pool` runs."""
        return self._pools_by_two and self.runs_kernel("conv2d_max_pool", x, self.conv.weight)


class ResidualConv2d(ConvBlock):
    """x + norm of conv 3×3 of LeakyReLU'd x, (N, C, H, W) -> the same: pre-activation, as x comes without one.

    Args:
        channels: C.
        norm: as in :class:`DownsampleConv2d`.
        activation: whether another LeakyReLU ends it.
    """

    def __init__(self, channels: int, norm: bool, activation: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.norm = BatchNorm2d(channels) if norm else nn.Identity()
        self.pre_activation = nn.LeakyReLU(NEGATIVE_SLOPE)
        self.activation = nn.LeakyReLU(NEGATIVE_SLOPE) if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Adds."""
        result: Tensor = self.activation(x + self.norm(self.conv(self.pre_activation(x))))
        return result
