"""*Sequential*: R2N2 reads the decoded views ([J] §III-A).

views ──compressor──> codes ──its decoder──> images ──R2N2──> occupancy
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from jc3d.models.image.convlstm import RnnCompressor
from jc3d.models.image.convlstm_config import RNN_SMALL, RNN_SMALL_PAPER
from jc3d.models.joint.joint import Joint, JointConfig
from jc3d.models.registry import register
from jc3d.models.shape.config import R2N2Config
from jc3d.models.shape.r2n2 import R2N2, R2N2_PAPER, R2N2_SMALL
from jc3d.models.shape.reconstruction import CodeReading


@dataclass(frozen=True)
class SequentialConfig(JointConfig):
    """Architecture of :class:`SequentialJoint`; see :class:`JointConfig`."""

    reconstruction: R2N2Config


# No norms: a batch of one iteration looks unlike one of eight, and norms that have seen both fit neither. The recipe
# starts from packaged weights, whose norms are folded.
SEQUENTIAL_SMALL = SequentialConfig("sequential", RNN_SMALL, R2N2_SMALL.with_norm(False))
SEQUENTIAL_PAPER = SequentialConfig("sequential-paper", RNN_SMALL_PAPER, R2N2_PAPER)


@register("sequential", SequentialConfig, presets=[SEQUENTIAL_SMALL, SEQUENTIAL_PAPER])
class SequentialJoint(Joint):
    """R2N2 reads the decoded views."""

    config: SequentialConfig
    refines: ClassVar[bool] = True

    def __init__(self, config: SequentialConfig) -> None:
        super().__init__(config)
        self.compressor = RnnCompressor(config.compressor)
        self.add_module("reconstruction", R2N2(config.reconstruction))

    @property
    def reconstruction(self) -> R2N2:
        """What reads the images, see :attr:`Joint.reconstruction`."""
        found = super().reconstruction
        assert isinstance(found, R2N2)
        return found

    def _read(self, codes: Tensor, images: Tensor, shape: torch.Size) -> CodeReading:
        return self.reconstruction.read_views(images[-1].unflatten(0, shape))

    def shape_inputs(self, packed: Tensor) -> Tensor:
        """Codes of the decoded views, (V, T, bytes) -> (V, K)."""
        size = (self.config.image_size, self.config.image_size)
        return self.reconstruction.encode(self.decompress(packed, size))
