"""Compression and reconstruction as one model: *sequential* and *direct* ([J] §III-A and III-B).

    sequential:  views ──compressor──> codes ──its decoder──> images ──R2N2──> occupancy
    direct:      views ──compressor──> codes ──3D recurrence──> occupancy          (images: the same decoder)

Both minimise the image loss of every view and the occupancy loss after the last, [J] eq. 16 with weights
(:mod:`jc3d.losses`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from jc3d.models.image.convlstm import RnnCompressor, RnnConfig
from jc3d.models.model import Model
from jc3d.models.shape.config import ReconstructionConfig
from jc3d.models.shape.reconstruction import Reconstruction
from jc3d.nn import PoseChoice
from jc3d.nn.pose_head import most_likely_pose


@dataclass(frozen=True)
class JointConfig:
    """What both architectures have.

    Attributes:
        name: preset name.
        compressor: of the views.
        reconstruction: of what it makes of them.
    """

    name: str
    compressor: RnnConfig
    reconstruction: ReconstructionConfig

    family: ClassVar[str]
    binary: ClassVar[bool] = True
    image_size: ClassVar[int] = RnnConfig.image_size

    def with_norm(self, norm: bool) -> Self:
        """The same with or without batch normalisation."""
        return replace(self, reconstruction=self.reconstruction.with_norm(norm))

    @property
    def norm(self) -> bool:
        """Whether there are batch normalisations."""
        return self.reconstruction.norm

    @property
    def max_iterations(self) -> int:
        """Most iterations of a view's code."""
        return self.compressor.max_iterations

    @property
    def code_bits(self) -> int:
        """Bits of a view and iteration on the wire."""
        return self.compressor.code_bits

    @property
    def ratio(self) -> float:
        """Compression ratio of one iteration by payload, [J] eq. 12."""
        return self.compressor.ratio


class JointOutput(NamedTuple):
    """What training sees of B objects with V views over T iterations.

    Attributes:
        logits: (B, 2, 32, 32, 32), after the last view.
        images: (T, B·V, 3, 128, 128) in [0, 1].
    """

    logits: Tensor
    images: Tensor


class Joint(Model, ABC):
    """What both models do alike: views to codes, codes to images, and what the codes say to the recurrence."""

    config: JointConfig
    compressor: RnnCompressor
    reconstruction: Reconstruction

    def forward(self, views: Tensor, iterations: int, choose: PoseChoice = most_likely_pose) -> JointOutput:
        """Trains on this.

        Args:
            views: (B, V, 3, 128, 128) in [0, 1].
            iterations: of each view's code.
            choose: decides where views are placed from, see :class:`jc3d.models.Reconstruction`.
        """
        codes, images = self.compressor(views.flatten(0, 1), iterations)
        return JointOutput(self._logits(codes, images, views.shape[:2], choose), images)

    def logits_at(self, views: Tensor, iterations: list[int]) -> tuple[list[Tensor], Tensor]:
        """Logits for several rates of the same codes, and the images (T, B·V, 3, 128, 128) of the largest."""
        codes, images = self.compressor(views.flatten(0, 1), max(iterations))
        shape = views.shape[:2]
        return [self._logits(codes[:, :n], images[:n], shape, most_likely_pose) for n in iterations], images

    @abstractmethod
    def _logits(self, codes: Tensor, images: Tensor, shape: torch.Size, choose: PoseChoice) -> Tensor:
        """Of (B·V, T, M, h, w) codes and (T, B·V, 3, H, W) images of (B, V) views."""

    @abstractmethod
    def view_codes(self, packed: Tensor) -> Tensor:
        """What the recurrence reads.

        Args:
            packed: (V, N, ceil(m / 8)) uint8: of V views N iterations each.

        Returns:
            (codes, K) float32, for :meth:`Reconstruction.receive`.
        """
