"""Convolutions that halve an image."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from jc3d.nn.batch_norm import BatchNorm2d

NEGATIVE_SLOPE = 0.01  # of every LeakyReLU of the models ([J]'s implementation uses torch's default)


class DownsampleConv2d(nn.Module):
    """Convolution and halving, (N, in, H, W) -> (N, out, H/2, W/2), no activation.

    Args:
        in_channels: input channels.
        out_channels: output channels.
        kernel_size: odd.
        downsample: ``"pool"``: stride 1, then 2×2 max-pooling (the paper); ``"stride"``: stride 2, six times cheaper
            to train at the first layer.
        norm: batch normalisation after it (training only: packaged weights have it folded in).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        downsample: Literal["pool", "stride"],
        norm: bool,
    ) -> None:
        super().__init__()
        stride = 2 if downsample == "stride" else 1
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2)
        self.norm = BatchNorm2d(out_channels) if norm else nn.Identity()
        self.pool = nn.MaxPool2d(2) if downsample == "pool" else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Halves."""
        halved: Tensor = self.pool(self.norm(self.conv(x)))
        return halved


class ResidualConv2d(nn.Module):
    """x + conv 3×3 of LeakyReLU'd x, (N, C, H, W) -> the same; pre-activation in and out."""

    def __init__(self, channels: int, norm: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.norm = BatchNorm2d(channels) if norm else nn.Identity()
        self.activation = nn.LeakyReLU(NEGATIVE_SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """Adds."""
        change: Tensor = self.norm(self.conv(self.activation(x)))
        return x + change
