"""*Direct*: the codes feed the 3D recurrence ([J] §III-B).

views ──compressor──> codes ──3D recurrence──> occupancy          (images: the compressor's decoder)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.models.image.convlstm import RnnCompressor
from jc3d.models.joint.joint import Joint, JointConfig
from jc3d.models.shape.reconstruction import Reconstruction
from jc3d.nn import PoseChoice
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

    family: ClassVar[str] = "direct"

    def __post_init__(self) -> None:
        inputs = self.code_bits * (self.max_iterations if self.fusion == "concat" else 1)
        if self.reconstruction.code_size != inputs:
            raise ValueError(
                f"reconstruction.code_size: expected {inputs}, the bits that enter with {self.fusion!r} fusion, "
                f"got {self.reconstruction.code_size}"
            )
        side = self.image_size // self.compressor.block
        if self.reconstruction.lift_channels and self.reconstruction.code_side != side:
            raise ValueError(
                f"reconstruction.code_side: expected {side}, that of the compressor's map, "
                f"got {self.reconstruction.code_side}"
            )


class Direct(Joint):
    """The codes feed the 3D recurrence as they are: there is no image encoder."""

    config: DirectConfig

    def __init__(self, config: DirectConfig) -> None:
        super().__init__(config)
        self.compressor = RnnCompressor(config.compressor)
        self.reconstruction = Reconstruction(config.reconstruction)

    def _logits(self, codes: Tensor, images: Tensor, shape: torch.Size, choose: PoseChoice) -> Tensor:
        inputs = self._fused(codes.flatten(2))
        return self.reconstruction.logits_of_codes(inputs.unflatten(0, (shape[0], -1)), choose)

    def view_codes(self, packed: Tensor) -> Tensor:
        """The bits, (V, N, bytes) -> (V, N_max·m) or (V·N, m)."""
        return self._fused(unpack_bits(packed, self.config.code_bits))

    def _fused(self, codes: Tensor) -> Tensor:
        """(views, N, m) of ±1 to the rows that enter one after another."""
        if self.config.fusion == "recurrent":
            return codes.flatten(0, 1)
        missing = self.config.max_iterations - codes.shape[1]
        return F.pad(codes, (0, 0, 0, missing)).flatten(1)
