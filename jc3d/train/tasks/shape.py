"""Training of models that reconstruct: the grid after the last view is to be the object's ([J] eq. 15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample
from jc3d.losses import occupancy_loss, pose_loss
from jc3d.losses.pose import known
from jc3d.metrics import turned_ious
from jc3d.models import CodeReading, Model, Reconstruction
from jc3d.nn import LinearGates
from jc3d.train.pose_teacher import choose_poses, turn_to_front
from jc3d.train.sampling import own_share
from jc3d.train.settings import TaskSettings, setting
from jc3d.train.tasks.registry import register_task
from jc3d.train.tasks.task import Losses, M, ScoreRow, Task, images_of, mean_score


@dataclass(frozen=True)
class ShapeSettings(TaskSettings):
    """Settings of :class:`ShapeTask`.

    Attributes:
        gate_lr_scale: share of the learning rate for the layers between encoder and gates where the code enters by a
            matrix, which nothing normalises. With ±1 inputs one step can move a pre-activation by K times the learning
            rate.
        iou_weight: weight of the soft IoU beside the cross-entropy. See :func:`jc3d.losses.occupancy_loss`.
        pose_weight: weight of the loss of the poses, where the model tells them.
        teacher_forcing: share of the objects that are placed by their true poses. See :mod:`jc3d.train.pose_teacher`.
    """

    gate_lr_scale: float = setting(0.1, above=0)
    iou_weight: float = setting(0.5, least=0)
    pose_weight: float = setting(0.2, least=0)
    teacher_forcing: float = setting(0.5, least=0, most=1)


R = TypeVar("R", bound=ShapeSettings)


class ShapeModel(Protocol):
    """What is trained: views (B, V, 3, H, W) in [0, 1] to codes, and what these are read as to a grid."""

    @property
    def reconstruction(self) -> Reconstruction:
        """Gives the logits of what was read."""
        ...

    def read_views(self, views: Tensor) -> CodeReading:
        """What is read of the views' codes, differentiably."""
        ...

    def __call__(self, views: Tensor) -> Tensor:
        """Logits (B, 2, 32, 32, 32) after the last view, by the most likely poses."""
        ...


class Target(NamedTuple):
    """What a model is to make of a batch.

    Attributes:
        grid: (B, 32, 32, 32) bool.
        ambiguous_front: (B,) bool: objects any quarter turn of whose grid is right.
        poses: (B, V, 3), what it is to tell of the views; NaN where not known.
        placed_by: (B, V, 3), where the views are placed from; None: nothing is placed.
    """

    grid: Tensor
    ambiguous_front: Tensor
    poses: Tensor
    placed_by: Tensor | None


class GridTask(Task[M, R]):
    """What the tasks with a grid in the end do alike; the best checkpoint has the highest mean IoU."""

    def __init__(self, settings: R, model: Model) -> None:
        super().__init__(settings, model)
        self._gate_layers = gate_layers(model)

    def selection(self, rows: Sequence[ScoreRow]) -> float:
        """Mean IoU, where there are several rates over these."""
        return mean_score(rows, "miou")

    def lr_scale(self, name: str, parameter: Tensor) -> float:
        """Less for layers about a matrix into the gates."""
        return self.settings.gate_lr_scale if name.startswith(self._gate_layers) else 1.0

    def uses_muon(self, name: str, parameter: Tensor) -> bool:
        """Not for layers about a matrix into the gates."""
        return super().uses_muon(name, parameter) and not name.startswith(self._gate_layers)


@register_task("shape", ShapeSettings)
class ShapeTask(GridTask[ShapeModel, ShapeSettings]):
    """Views of an object to its grid."""

    def loss(self, model: ShapeModel, batch: ObjectSample, rng: Random) -> Losses:
        """Occupancy and poses."""
        reading = model.read_views(images_of(batch))
        target = make_target(self.settings, reading.pose_scores, batch, rng)
        logits = model.reconstruction.logits(reading, target.placed_by)
        return shape_losses(self.settings, logits, reading.pose_scores, target)

    def scores(self, model: ShapeModel, batch: ObjectSample) -> list[ScoreRow]:
        """``miou`` at τ = 0.4, of the best quarter turn where the front is ambiguous."""
        return [ScoreRow("miou", mean_iou(model(images_of(batch)), batch), len(batch.views))]

    def calibrate(self, model: ShapeModel, batch: ObjectSample, rng: Random | None = None) -> None:
        """Runs the model."""
        model(images_of(batch))


def gate_layers(model: nn.Module) -> tuple[str, ...]:
    """Prefixes of the layers that nothing normalises: those about a matrix into the gates, if there is one."""
    places = [name.removesuffix("gates") for name, each in model.named_modules() if isinstance(each, LinearGates)]
    return tuple(place + part for place in places for part in ("head.", "gates.", "recurrence."))


def make_target(settings: ShapeSettings, scores: Tensor | None, batch: ObjectSample, rng: Random) -> Target:
    """The target of a batch; some of the objects are placed by their true poses, the others by what the model tells.

    Args:
        settings: of the task.
        scores: of the poses (B, V, AZIMUTH_BINS + 2); None where the model places nothing.
        batch: the objects.
        rng: of the step.
    """
    if scores is None:
        return Target(batch.grid, batch.ambiguous_front, batch.poses, None)
    grid, poses = turn_to_front(scores, batch.poses, batch.grid, batch.ambiguous_front)
    placed_by = choose_poses(scores, poses, teacher_forced(settings, batch, rng))
    # Placed by its poses, an object has one grid that is right.
    return Target(grid, batch.ambiguous_front & ~known(poses).any(dim=1), poses, placed_by)


def teacher_forced(settings: ShapeSettings, batch: ObjectSample, rng: Random) -> Tensor:
    """(B,) bool: objects of this process that are placed by their true poses, of one draw for the whole batch."""
    draws = rng.split(1)
    chosen = own_share(len(batch.grid), lambda: draws.chance(settings.teacher_forcing))
    return torch.tensor(chosen, device=batch.grid.device)


def shape_losses(
    settings: ShapeSettings, logits: Tensor, scores: Tensor | None, target: Target, before: Tensor | float = 0.0
) -> Losses:
    """The occupancy loss and that of the poses, if the model tells any, added to what is there before."""
    total = before + occupancy_loss(logits, target.grid, target.ambiguous_front, settings.iou_weight)
    if scores is None:
        return Losses(total)
    of_poses = pose_loss(scores, target.poses)
    return Losses(total + settings.pose_weight * of_poses, {"pose-loss": of_poses})


def mean_iou(logits: Tensor, batch: ObjectSample) -> float:
    """Mean over a batch at τ = 0.4, of the best quarter turn where the front is ambiguous."""
    logits = logits.float()
    prob = torch.sigmoid(logits[:, 1] - logits[:, 0])
    ious = turned_ious(prob, batch.grid)
    return float(torch.where(batch.ambiguous_front, ious.amax(dim=1), ious[:, 0]).mean())
