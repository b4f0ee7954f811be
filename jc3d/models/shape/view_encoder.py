"""The camera's end: views to the last feature map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jc3d.models.shape.config import R2N2Config
from jc3d.nn.conv_block import ConvBlock
from jc3d.nn.image_blocks import DownsampleConv2d, ResidualConv2d


class ViewEncoder(nn.Module):
    """(N, 3, 128, 128) -> (N, channels[-1], code_side, code_side): convolutions, LeakyReLU between, none at the end."""

    def __init__(self, config: R2N2Config) -> None:
        super().__init__()
        layers: list[ConvBlock] = []
        self.stored_prefixes: dict[str, str] = {}
        in_channels = 3
        stages = (config.encoder_channels, config.encoder_kernels, config.encoder_strides, config.encoder_residuals)
        last = len(config.encoder_channels) - 1
        for stage, (channels, kernel, stride, residuals) in enumerate(zip(*stages, strict=True)):
            for residual in range(residuals + 1):
                # In files a LeakyReLU between two stages has a number of its own.
                self.stored_prefixes[f"layers.{len(layers)}"] = f"layers.{len(layers) + stage}"
                activation = residual == residuals and stage < last
                if residual:
                    layers.append(ResidualConv2d(channels, config.norm, activation))
                    continue
                shape = (in_channels, channels, kernel, stride)
                layers.append(DownsampleConv2d(*shape, config.downsample, config.norm, activation))
            in_channels = channels
        self.layers = nn.Sequential(*layers)

    def forward(self, views: Tensor) -> Tensor:
        """Views in [0, 1] to the last feature map."""
        features: Tensor = self.layers(views.contiguous(memory_format=torch.channels_last))
        return features

    def in_kernels(self, views: Tensor) -> bool:
        """Whether every layer runs in a kernel of ours: a view's features then depend on nothing but the view."""
        return all(isinstance(layer, ConvBlock) and layer.has_kernel(views) for layer in self.layers)
