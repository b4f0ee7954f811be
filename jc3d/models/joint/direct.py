"""*Direct*: the codes feed the 3D recurrence ([J] §III-B).

views ──compressor──> codes ──3D recurrence──> occupancy          (images: the compressor's decoder)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.models.image.convlstm import RnnCompressor
from jc3d.models.image.convlstm_config import RNN_SMALL, RNN_SMALL_PAPER
from jc3d.models.joint.joint import Joint, JointConfig
from jc3d.models.registry import register
from jc3d.models.shape.config import R2N2Config, ReconstructionConfig
from jc3d.models.shape.r2n2 import R2N2_PAPER, R2N2_SMALL
from jc3d.models.shape.reconstruction import CodeReading, Reconstruction
from jc3d.ops import unpack_bits

Fusion = Literal["concat", "recurrent"]


@dataclass(frozen=True)
class DirectConfig(JointConfig):
    """Architecture of :class:`Direct`; see :class:`JointConfig`.

    Attributes:
        fusion: ``"concat"``: the codes of all iterations enter together, one step a view, and zeros stand for those not
            sent (a code is ±1); ``"recurrent"``: one step an iteration.
    """

    fusion: Fusion = "concat"

    def __post_init__(self) -> None:
        inputs = self.code_bits * (self.max_iterations if self.fusion == "concat" else 1)
        if self.reconstruction.code_size != inputs:
            raise ValueError(
                f"reconstruction.code_size: expected {inputs}, the bits that enter with {self.fusion!r} fusion, "
                f"got {self.reconstruction.code_size}"
            )
        side = self.image_size // self.compressor.block
        if self.reconstruction.unproject_channels and self.reconstruction.code_side != side:
            raise ValueError(
                f"reconstruction.code_side: expected {side}, that of the compressor's map, "
                f"got {self.reconstruction.code_side}"
            )


def _reading_codes(base: R2N2Config, **changed: object) -> ReconstructionConfig:
    """The receiving half of an R2N2."""
    names = {field.name for field in fields(ReconstructionConfig)}
    kept = {name: value for name, value in asdict(base).items() if name in names}
    return ReconstructionConfig(**{**kept, **changed})


# No norms, as in SequentialJoint. What enters at once are the codes of all iterations.
DIRECT_SMALL, DIRECT_PAPER = (
    DirectConfig(name, rnn, _reading_codes(r2n2, name=name, code_size=rnn.max_iterations * rnn.code_bits))
    for name, rnn, r2n2 in (
        ("direct", RNN_SMALL, R2N2_SMALL.with_norm(False)),
        ("direct-paper", RNN_SMALL_PAPER, R2N2_PAPER),
    )
)

# An iteration after the first tells little of a view's pose, so nothing is unprojected here: a matrix, as in the paper.
# What enters is one iteration whatever their number, and nothing is packaged to start from: the decoder has norms.
_SMALL_MATRIX = ReconstructionConfig(
    name="direct-recurrent", hidden_channels=64, up_channels=(64, 32), head_channels=(), norm=True
)
RECURRENT_SMALL = DirectConfig("direct-recurrent", RNN_SMALL, _SMALL_MATRIX, fusion="recurrent")
RECURRENT_PAPER = DirectConfig(
    "direct-recurrent-paper",
    RNN_SMALL_PAPER,
    _reading_codes(R2N2_PAPER, name="direct-recurrent-paper"),
    fusion="recurrent",
)


@register("direct", DirectConfig, presets=[DIRECT_SMALL, RECURRENT_SMALL, DIRECT_PAPER, RECURRENT_PAPER])
class Direct(Joint):
    """The codes feed the 3D recurrence as they are: there is no image encoder."""

    config: DirectConfig

    def __init__(self, config: DirectConfig) -> None:
        super().__init__(config)
        self.compressor = RnnCompressor(config.compressor)
        self.add_module("reconstruction", Reconstruction(config.reconstruction))

    def _read(self, codes: Tensor, images: Tensor, shape: torch.Size) -> CodeReading:
        return self.reconstruction.read(self._fused(codes.flatten(2)).unflatten(0, (shape[0], -1)))

    @torch.inference_mode()
    def shape_inputs(self, packed: Tensor) -> Tensor:
        """The bits, (V, T, bytes) -> (V, T_max·m) or (V·T, m)."""
        return self._fused(unpack_bits(packed, self.config.code_bits))

    def _fused(self, codes: Tensor) -> Tensor:
        """(views, N, m) of ±1 to the rows that enter one after another."""
        if self.config.fusion == "recurrent":
            return codes.flatten(0, 1)
        missing = self.config.max_iterations - codes.shape[1]
        return F.pad(codes, (0, 0, 0, missing)).flatten(1)
