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
from jc3d.models.shape.reconstruction import CodeReading, Reconstruction


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


class JointReading(NamedTuple):
    """:class:`JointOutput` before the views are placed.

    Attributes:
        reading: of the codes, for :meth:`Reconstruction.logits`.
        images: as in :class:`JointOutput`.
    """

    reading: CodeReading
    images: Tensor


class Joint(Model):
    """What both models do alike: views to codes, codes to images, and what the recurrence reads of codes."""

    config: JointConfig
    task: ClassVar[str] = "joint"
    compressor: RnnCompressor

    @property
    def reconstruction(self) -> Reconstruction:
        """What reads the codes or the images.

        A property over the module of that name: from Python 3.12 on, isinstance with a protocol looks at the class, and
        torch keeps modules elsewhere.
        """
        found = self._modules.get("reconstruction")
        if not isinstance(found, Reconstruction):
            raise AttributeError("reconstruction")
        return found

    def read_views(self, views: Tensor, iterations: int) -> JointReading:
        """Codes of views, their images, and what the codes are read as.

        Args:
            views: (B, V, 3, 128, 128) in [0, 1].
            iterations: of each view's code.
        """
        codes, images = self.compressor(views.flatten(0, 1), iterations)
        return JointReading(self._read(codes, images, views.shape[:2]), images)

    def forward(self, views: Tensor, iterations: int) -> JointOutput:
        """Logits by the most likely poses, and images; arguments as in :meth:`read_views`."""
        reading, images = self.read_views(views, iterations)
        return JointOutput(self.reconstruction.logits(reading), images)

    def logits_at(self, views: Tensor, iterations: list[int]) -> tuple[list[Tensor], Tensor]:
        """Logits for several rates of the same codes, and the images (T, B·V, 3, 128, 128) of the largest."""
        codes, images = self.compressor(views.flatten(0, 1), max(iterations))
        readings = (self._read(codes[:, :n], images[:n], views.shape[:2]) for n in iterations)
        return [self.reconstruction.logits(reading) for reading in readings], images

    @abstractmethod
    def _read(self, codes: Tensor, images: Tensor, shape: torch.Size) -> CodeReading:
        """What is read of (B·V, T, M, h, w) codes and (T, B·V, 3, H, W) images of (B, V) views."""

    # Inference path ------------------------------------------------------------------------------------------------

    def compress(self, images: Tensor, iterations: int | None = None, refinement_steps: int = 0) -> Tensor:
        """By the compressor, see :meth:`jc3d.models.model.Model.compress`."""
        self.check_refinement(refinement_steps)
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
