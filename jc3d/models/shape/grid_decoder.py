"""The receiver's end: hidden state to occupancy."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jc3d.models.shape.config import ReconstructionConfig
from jc3d.nn import GridConv3d, UpsampleConv3d
from jc3d.nn.gates import SKIP_CHANNELS, SKIP_SIDE
from jc3d.nn.grid_blocks import GridBlock
from jc3d.ops import occupancy_head


class GridDecoder(nn.Module):
    """Hidden state to occupancy logits, (B, N_h, S, S, S) -> (B, 2, 32, 32, 32); channel 1 is *occupied*."""

    def __init__(self, config: ReconstructionConfig) -> None:
        super().__init__()
        blocks: list[GridBlock] = []
        channels, side = config.hidden_channels, config.cell_side
        self.join: nn.Module | None = None
        self._join_at: int | None = None
        for width in config.refine_channels:
            blocks.append(GridBlock(channels, width, doubles=False, norm=config.norm))
            channels = width
        for width in config.up_channels:
            side *= 2
            norm = config.norm and side < config.grid_size  # at 32³ it would cost more than the convolution
            blocks.append(GridBlock(channels, width, doubles=True, norm=norm))
            if config.skip_features and side == SKIP_SIDE:
                self.join = nn.Conv3d(SKIP_CHANNELS, width, kernel_size=1, bias=False)
                self._join_at = len(blocks) - 1
            channels = width
        for width in config.head_channels:
            blocks.append(GridBlock(channels, width, doubles=False, norm=False))
            channels = width
        self.layers = nn.Sequential(*blocks)
        self.to_logits = UpsampleConv3d(channels, 2) if config.last_doubles else GridConv3d(channels, 2)
        self.stored_prefixes = _stored_prefixes(blocks)

    def forward(self, h: Tensor, skip_features: Tensor) -> Tensor:
        """Logits; ``skip_features`` (B, C, 16, 16, 16) join where the grid has their size."""
        logits: Tensor = self.to_logits(self._features(h, skip_features))
        return logits

    def probabilities(self, h: Tensor, skip_features: Tensor) -> Tensor:
        """Of *occupied*, (B, 32, 32, 32): the softmax of the logits, from their difference alone."""
        last, features = self.to_logits, self._features(h, skip_features)
        assert last.bias is not None
        return occupancy_head(features, last.weight, last.bias, isinstance(last, UpsampleConv3d))

    def _features(self, h: Tensor, skip_features: Tensor) -> Tensor:
        """What the last layer reads."""
        x = h.contiguous(memory_format=torch.channels_last_3d)
        for index, block in enumerate(self.layers):
            skip = None
            if self.join is not None and index == self._join_at:
                skip = self.join(skip_features.to(x.dtype))
            x = block(x, skip)
        return x


def _stored_prefixes(blocks: list[GridBlock]) -> dict[str, str]:
    """In files convolutions, norms and LeakyReLUs are numbered one by one."""
    stored, number = {}, 0
    for index, block in enumerate(blocks):
        stored[f"layers.{index}.conv"] = f"layers.{number}"
        if not isinstance(block.norm, nn.Identity):
            number += 1
            stored[f"layers.{index}.norm"] = f"layers.{number}"
        number += 2
    return stored | {"to_logits": f"layers.{number}"}
