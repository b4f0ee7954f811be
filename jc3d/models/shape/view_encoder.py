"""The camera's end: views to the last feature map."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from jc3d.models.shape.config import R2N2Config
from jc3d.nn import DownsampleConv2d
from jc3d.nn.image_blocks import NEGATIVE_SLOPE, ResidualConv2d


class ViewEncoder(nn.Module):
    """(N, 3, 128, 128) -> (N, channels[-1], code_side, code_side): convolutions, LeakyReLU between, none at the end."""

    def __init__(self, config: R2N2Config) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        in_channels = 3
        stages = (config.encoder_channels, config.encoder_kernels, config.encoder_strides, config.encoder_residuals)
        for out_channels, kernel, stride, residuals in zip(*stages, strict=True):
            if layers:
                layers.append(nn.LeakyReLU(NEGATIVE_SLOPE))
            layers.append(DownsampleConv2d(in_channels, out_channels, kernel, stride, config.downsample, config.norm))
            layers += [ResidualConv2d(out_channels, config.norm) for _ in range(residuals)]
            in_channels = out_channels
        self.layers = nn.Sequential(*layers)

    def forward(self, views: Tensor) -> Tensor:
        """Views in [0, 1] to the last feature map."""
        x = views.contiguous(memory_format=torch.channels_last)
        activated = False
        for layer, following in pairwise([*self.layers, nn.Identity()]):
            if activated:
                activated = False
                continue
            activated = isinstance(layer, DownsampleConv2d) and isinstance(following, nn.LeakyReLU)
            x = layer(x, NEGATIVE_SLOPE) if activated else layer(x)
        return x

    def in_kernels(self, views: Tensor) -> bool:
        """Whether every layer runs in a kernel of ours: a view's features then depend on nothing but the view."""
        return all(
            isinstance(layer, nn.LeakyReLU) or (isinstance(layer, DownsampleConv2d) and layer.has_kernel(views))
            for layer in self.layers
        )
