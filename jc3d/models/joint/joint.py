"""Compression and reconstruction as one model: what *sequential* and *direct* share ([J] §III).

Both minimise the image loss of every view and the occupancy loss after the last, [J] eq. 16 with weights
(:mod:`jc3d.losses`).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from jc3d.models.capabilities import ImageDecoder
from jc3d.models.image.convlstm import RnnCompressor
from jc3d.models.image.convlstm_config import RnnConfig
from jc3d.models.model import VIEW_SIZE, CodeFormat, Model, ModelConfig
from jc3d.models.shape.config import ReconstructionConfig
from jc3d.models.shape.reconstruction import Reconstruction
from jc3d.nn import PoseChoice
from jc3d.nn.pose_head import most_likely_pose


@dataclass(frozen=True)
class JointConfig(ModelConfig):
    """What both architectures have.

    Attributes:
        name: preset name.
        compressor: of the views.
        reconstruction: of what it makes of them.
    """

    compressor: RnnConfig
    reconstruction: ReconstructionConfig

    image_size: ClassVar[int] = VIEW_SIZE

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

    def code_format(self, size: tuple[int, int]) -> CodeFormat:
        """That of the compressor."""
        return self.compressor.code_format(size)


class JointOutput(NamedTuple):
    """What training sees of B objects with V views over T iterations.

    Attributes:
        logits: (B, 2, 32, 32, 32), after the last view.
        images: (T, B·V, 3, 128, 128) in [0, 1].
    """

    logits: Tensor
    images: Tensor


class Joint(Model):
    """What both models do alike: views to codes, codes to images, and what the recurrence reads of codes."""

    config: JointConfig
    task: ClassVar[str] = "joint"
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

    # Inference path ------------------------------------------------------------------------------------------------

    def compress(self, images: Tensor, iterations: int | None = None, refinement_steps: int = 0) -> Tensor:
        """By the compressor, see :meth:`jc3d.models.model.Model.compress`."""
        if refinement_steps and not self.refines:
            raise ValueError(f"refinement_steps: expected 0 with {self.config.name}, got {refinement_steps}")
        return self.compressor.compress(images, iterations, refinement_steps)

    def decompress(self, packed: Tensor, image_size: tuple[int, int]) -> Tensor:
        """By the compressor, see :class:`jc3d.models.capabilities.DecodesImages`."""
        return self.compressor.decompress(packed, image_size)

    def open_decoder(self, image_size: tuple[int, int]) -> ImageDecoder:
        """Of the compressor, see :class:`jc3d.models.capabilities.DecodesProgressively`."""
        self.config.check_size(image_size)
        return self.compressor.open_decoder(image_size)

    @abstractmethod
    def shape_inputs(self, packed: Tensor) -> Tensor:
        """See :class:`jc3d.models.capabilities.ReconstructsShape`; (rows, K) float32."""
