"""Training of image codecs: every iteration of a code is to give the best image ([J] eq. 14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample
from jc3d.losses import compression_loss
from jc3d.models import ModelConfig
from jc3d.train.settings import TaskSettings, setting
from jc3d.train.tasks.registry import register_task
from jc3d.train.tasks.task import Losses, ScoreRow, Task, images_of, mean_score


@dataclass(frozen=True)
class ImageSettings(TaskSettings):
    """Settings of :class:`ImageTask`.

    Attributes:
        iterations: iterations of the codes of a step: 0 draws 1 to the most anew each step, n with a weight of 1 / n,
            so that every number gets an equal share of the time; any other number is kept to. See [J] Fig. 11.
        min_iterations: fewest that are drawn. More of them give the later iterations more weight.
        ssim_weight: weight of 1 - SSIM in the image loss, which the paper does not have.
        colour_weight: weight of the square of colour differences in the image loss, which the paper does not have.
    """

    iterations: int = 0
    min_iterations: int = 1
    ssim_weight: float = setting(0.0, least=0)
    colour_weight: float = setting(0.0, least=0)

    def check(self, config: ModelConfig) -> None:
        """Iterations are those of the model."""
        most = config.max_iterations
        if not 1 <= self.min_iterations <= most:
            expected = f"1 to {most}, the most of {config.name}"
            raise ValueError(f"min_iterations: expected {expected}, got {self.min_iterations}")
        if self.iterations and self.min_iterations > 1:
            raise ValueError(
                f"min_iterations: expected 1 where iterations are constant, got {self.min_iterations} and "
                f"iterations {self.iterations}"
            )
        if not 0 <= self.iterations <= most:
            raise ValueError(f"iterations: expected 0 to {most}, the most of {config.name}, got {self.iterations}")
        super().check(config)


class ImageModel(Protocol):
    """What is trained: images (N, 3, H, W) in [0, 1] to ``images`` (T, N, 3, H, W), one after each iteration."""

    config: ModelConfig

    def __call__(self, images: Tensor, iterations: int) -> Any:
        """Runs it, differentiably."""
        ...


@register_task("image", ImageSettings)
class ImageTask(Task[ImageModel, ImageSettings]):
    """Views are images, each by itself; the best checkpoint has the least image loss."""

    def loss(self, model: ImageModel, batch: ObjectSample, rng: Random) -> Losses:
        """The image loss."""
        images = images_of(batch).flatten(0, 1)
        count = draw_iterations(self.settings, model.config, rng.split(2))
        return Losses(image_loss(self.settings, model(images, count).images, images))

    def scores(self, model: ImageModel, batch: ObjectSample) -> list[ScoreRow]:
        """``l1`` and the image ``loss`` at the most iterations that are trained."""
        images = images_of(batch).flatten(0, 1)
        decoded = model(images, validated_iterations(self.settings, model.config)[-1]).images
        found = {"l1": compression_loss(decoded, images), "loss": image_loss(self.settings, decoded, images)}
        return [ScoreRow(measure, float(value), len(batch.views)) for measure, value in found.items()]

    def selection(self, rows: Sequence[ScoreRow]) -> float:
        """The negative image loss."""
        return -mean_score(rows, "loss")

    def calibrate(self, model: ImageModel, batch: ObjectSample, rng: Random | None = None) -> None:
        """Runs the model with as many iterations as a step."""
        model(images_of(batch).flatten(0, 1), draw_iterations(self.settings, model.config, rng))


def image_loss(settings: ImageSettings, images: Tensor, targets: Tensor) -> Tensor:
    """That of decoded images (T, N, 3, H, W), with the settings' weights."""
    return compression_loss(images, targets, settings.ssim_weight, settings.colour_weight)


def draw_iterations(settings: ImageSettings, config: ModelConfig, rng: Random | None) -> int:
    """Of the codes of one step, as the settings say; without a stream the most."""
    if settings.iterations:
        return settings.iterations
    if rng is None:
        return config.max_iterations
    counts = range(settings.min_iterations, config.max_iterations + 1)
    return rng.choice(counts, [1 / count for count in counts])


def validated_iterations(settings: ImageSettings, config: ModelConfig) -> list[int]:
    """Iterations to validate at: what a run with a constant number never sees does not choose its weights."""
    return [settings.iterations] if settings.iterations else sorted({1, config.max_iterations})
