"""Training of models that give images and shapes from one code ([J] eq. 16)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample
from jc3d.losses import compression_loss
from jc3d.models import CodeReading, ModelConfig, Reconstruction
from jc3d.train.settings import setting
from jc3d.train.tasks.image import ImageSettings, draw_iterations, image_loss, validated_iterations
from jc3d.train.tasks.registry import register_task
from jc3d.train.tasks.shape import GridTask, ShapeSettings, make_target, mean_iou, shape_losses
from jc3d.train.tasks.task import Losses, ScoreRow, images_of


@dataclass(frozen=True)
class JointSettings(ShapeSettings, ImageSettings):
    """Settings of :class:`JointTask`: those of images and of shapes, and how they share.

    Attributes:
        compression_weight: weight of the image loss beside the occupancy loss. The sum is [J] eq. 16.
        reconstruction_lr_scale: share of the learning rate for what reconstructs, below 1 where that starts from
            trained weights and the compressor does not.
    """

    compression_weight: float = setting(10.0, least=0)
    reconstruction_lr_scale: float = setting(1.0, above=0)


class JointModel(Protocol):
    """What is trained: views (B, V, 3, H, W) in [0, 1] to images, and to codes that are read as a grid."""

    config: ModelConfig

    @property
    def reconstruction(self) -> Reconstruction:
        """Gives the logits of what was read."""
        ...

    def read_views(self, views: Tensor, iterations: int) -> tuple[CodeReading, Tensor]:
        """What is read of the views' codes, and images (T, B·V, 3, H, W), differentiably."""
        ...

    def __call__(self, views: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
        """Logits (B, 2, 32, 32, 32) after the last view, by the most likely poses, and images."""
        ...

    def logits_at(self, views: Tensor, iterations: list[int]) -> tuple[list[Tensor], Tensor]:
        """Logits for several rates of the same codes, and the images of the largest."""
        ...


@register_task("joint", JointSettings)
class JointTask(GridTask[JointModel, JointSettings]):
    """Views of an object to images and a grid."""

    def loss(self, model: JointModel, batch: ObjectSample, rng: Random) -> Losses:
        """Images, occupancy and poses."""
        views, settings = images_of(batch), self.settings
        reading, images = model.read_views(views, draw_iterations(settings, model.config, rng.split(2)))
        target = make_target(settings, reading.pose_scores, batch, rng)
        logits = model.reconstruction.logits(reading, target.placed_by)
        of_images = image_loss(settings, images, views.flatten(0, 1))
        before = settings.compression_weight * of_images
        losses = shape_losses(settings, logits, reading.pose_scores, target, before)
        return replace(losses, parts={"image-loss": of_images, **losses.parts})

    def scores(self, model: JointModel, batch: ObjectSample) -> list[ScoreRow]:
        """``miou`` at the lowest and the highest rate, ``l1`` at the highest."""
        views, count = images_of(batch), len(batch.views)
        counts = validated_iterations(self.settings, model.config)
        logits, images = model.logits_at(views, counts)
        rows = [ScoreRow("miou", mean_iou(each, batch), count, n) for n, each in zip(counts, logits, strict=True)]
        return [*rows, ScoreRow("l1", float(compression_loss(images, views.flatten(0, 1))), count)]

    def lr_scale(self, name: str, parameter: Tensor) -> float:
        """That of the gates, and for what reconstructs as the settings say."""
        share = self.settings.reconstruction_lr_scale if name.startswith("reconstruction.") else 1.0
        return super().lr_scale(name, parameter) * share

    def calibrate(self, model: JointModel, batch: ObjectSample, rng: Random | None = None) -> None:
        """Runs the model with as many iterations as a step."""
        model(images_of(batch), draw_iterations(self.settings, model.config, rng))
