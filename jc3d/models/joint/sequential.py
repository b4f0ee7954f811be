"""*Sequential*: R2N2 reads the decoded views ([J] §III-A).

views ──compressor──> codes ──its decoder──> images ──R2N2──> occupancy
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from jc3d.models.image.convlstm import RnnCompressor
from jc3d.models.joint.joint import Joint, JointConfig
from jc3d.models.shape.config import R2N2Config
from jc3d.models.shape.r2n2 import R2N2
from jc3d.nn import PoseChoice


@dataclass(frozen=True)
class SequentialConfig(JointConfig):
    """Architecture of :class:`Sequential`; see :class:`JointConfig`."""

    reconstruction: R2N2Config

    family: ClassVar[str] = "sequential"


class Sequential(Joint):
    """R2N2 reads the decoded views."""

    config: SequentialConfig
    reconstruction: R2N2

    def __init__(self, config: SequentialConfig) -> None:
        super().__init__(config)
        self.compressor = RnnCompressor(config.compressor)
        self.reconstruction = R2N2(config.reconstruction)

    def _logits(self, codes: Tensor, images: Tensor, shape: torch.Size, choose: PoseChoice) -> Tensor:
        logits: Tensor = self.reconstruction(images[-1].unflatten(0, shape), choose)
        return logits

    def view_codes(self, packed: Tensor) -> Tensor:
        """Codes of the decoded views, (V, N, bytes) -> (V, K)."""
        size = (self.config.image_size,) * 2
        return self.reconstruction.encode(self.compressor.decode(packed, size))
