"""The receiver's end: hidden state to occupancy."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from jc3d.models.shape.config import ReconstructionConfig
from jc3d.nn import GridConv3d, UpsampleConv3d
from jc3d.nn.batch_norm import BatchNorm3d
from jc3d.nn.gates import SKIP_CHANNELS, SKIP_SIDE
from jc3d.nn.image_blocks import NEGATIVE_SLOPE
from jc3d.ops import occupancy_head


class GridDecoder(nn.Module):
    """Hidden state to occupancy logits, (B, N_h, S, S, S) -> (B, 2, 32, 32, 32); channel 1 is *occupied*."""

    def __init__(self, config: ReconstructionConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = config.hidden_channels
        side = config.cell_side
        self.join: nn.Module | None = None
        for width in config.refine_channels:
            layers.append(GridConv3d(channels, width))
            if config.norm:
                layers.append(BatchNorm3d(width))
            layers.append(nn.LeakyReLU(NEGATIVE_SLOPE))
            channels = width
        for width in config.up_channels:
            layers.append(UpsampleConv3d(channels, width))
            side *= 2
            if config.norm and side < config.grid_size:  # at 32³ it would cost more than the convolution
                layers.append(BatchNorm3d(width))
            if config.skip_features and side == SKIP_SIDE:
                self.join = nn.Conv3d(SKIP_CHANNELS, width, kernel_size=1, bias=False)
                self._join_at = len(layers)
            layers.append(nn.LeakyReLU(NEGATIVE_SLOPE))
            channels = width
        for width in config.head_channels:
            layers += [GridConv3d(channels, width), nn.LeakyReLU(NEGATIVE_SLOPE)]
            channels = width
        layers.append(UpsampleConv3d(channels, 2) if config.last_doubles else GridConv3d(channels, 2))
        self.layers = nn.Sequential(*layers)

    def forward(self, h: Tensor, skip_features: Tensor) -> Tensor:
        """Logits; ``skip_features`` (B, C, 16, 16, 16) joins where the grid has its size."""
        logits: Tensor = self.layers[-1](self._features(h, skip_features))
        return logits

    def probabilities(self, h: Tensor, skip_features: Tensor) -> Tensor:
        """Of *occupied*, (B, 32, 32, 32): the softmax of the logits, from their difference alone."""
        last: Any = self.layers[-1]
        return occupancy_head(
            self._features(h, skip_features), last.weight, last.bias, isinstance(last, UpsampleConv3d)
        )

    def _features(self, h: Tensor, skip_features: Tensor) -> Tensor:
        """What the last layer reads."""
        x = h.contiguous(memory_format=torch.channels_last_3d)
        activated = False
        for index, (layer, following) in enumerate(pairwise(self.layers)):
            if self.join is not None and index == self._join_at:
                x = x + self.join(skip_features.to(x.dtype))
            elif activated:
                activated = False
                continue
            joins_next = self.join is not None and index + 1 == self._join_at
            activated = isinstance(layer, GridConv3d | UpsampleConv3d) and isinstance(following, nn.LeakyReLU)
            activated = activated and not joins_next
            x = layer(x, NEGATIVE_SLOPE) if activated else layer(x)
        return x
