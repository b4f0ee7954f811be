"""The parts of R2N2 and the implicit model that run without jc3d: encoder, one step of the recurrence, decoder.

    encoder     views ──> codes                                                       at the camera
    step        codes, h, c, skip_features ──> next_h, next_c, next_skip_features     at the receiver, once a view
    decoder     h, skip_features ──> occupancy                                        at the receiver, for a grid

Models whose decoder takes no ``skip_features`` have none here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from jc3d.models.capabilities import ExportPart
from jc3d.nn import GridState
from jc3d.nn.gates import SKIP_CHANNELS, SKIP_SIDE
from jc3d.ops import binarize_pack, unpack_bits

if TYPE_CHECKING:
    from jc3d.models.shape.r2n2 import R2N2

_EXAMPLES = 2  # rows to trace with: torch.export takes a size of 0 or 1 for a constant


class _Encoder(nn.Module):
    def __init__(self, model: R2N2) -> None:
        super().__init__()
        self.encoder, self.head = model.encoder, model.head
        self.code_size, self.binary = model.config.code_size, model.config.binary

    def forward(self, views: Tensor) -> Tensor:
        codes: Tensor = self.head(self.encoder(views))[:, : self.code_size]
        return binarize_pack(codes) if self.binary else codes


class _Step(nn.Module):
    def __init__(self, model: R2N2) -> None:
        super().__init__()
        self.gates, self.recurrence = model.gates, model.recurrence
        self.code_size, self.binary = model.config.code_size, model.config.binary

    def forward(self, codes: Tensor, h: Tensor, c: Tensor, skip_features: Tensor | None = None) -> tuple[Tensor, ...]:
        gates = self.gates(unpack_bits(codes, self.code_size) if self.binary else codes)
        grid = self.recurrence(gates.x_gates, GridState(h, c))
        return (*grid,) if skip_features is None else (*grid, torch.maximum(skip_features, gates.skip_features))


class _Decoder(nn.Module):
    def __init__(self, model: R2N2) -> None:
        super().__init__()
        self.decoder = model.decoder

    def forward(self, h: Tensor, skip_features: Tensor | None = None) -> Tensor:
        logits = self.decoder(h, skip_features)
        return torch.sigmoid(logits[:, 1] - logits[:, 0])


def export_parts(model: R2N2) -> dict[str, ExportPart]:
    """The parts by name."""
    config = model.config
    channels, side = config.hidden_channels, config.cell_side
    state = {name: torch.zeros(_EXAMPLES, channels, side, side, side) for name in ("h", "c")}
    if config.skip_features:
        state["skip_features"] = torch.zeros(_EXAMPLES, SKIP_CHANNELS, SKIP_SIDE, SKIP_SIDE, SKIP_SIDE)
    codes = torch.zeros(_EXAMPLES, config.code_size)
    if config.binary:
        codes = torch.zeros(_EXAMPLES, -(-config.code_size // 8), dtype=torch.uint8)
    views = torch.zeros(_EXAMPLES, 3, config.image_size, config.image_size)
    seen = {name: tensor for name, tensor in state.items() if name != "c"}
    return {
        "encoder": ExportPart(_Encoder(model), {"views": views}, ("codes",), ops=("binarize_pack",)),
        "step": ExportPart(
            _Step(model),
            {"codes": codes, **state},
            tuple(f"next_{name}" for name in state),
            ops=("unpack_bits", "conv3d_lstm_gates"),
        ),
        "decoder": ExportPart(_Decoder(model), seen, ("occupancy",)),
    }
