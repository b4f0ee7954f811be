"""What a task is: all that the training loop does not know."""

from __future__ import annotations

import statistics
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from torch import Tensor

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample
from jc3d.models import Model
from jc3d.train.optim import is_matrix
from jc3d.train.settings import TaskSettings

M = TypeVar("M", contravariant=True)
S = TypeVar("S", bound=TaskSettings)


@dataclass(frozen=True)
class Losses:
    """What one step minimises, and what it consists of.

    Attributes:
        total: a scalar; the gradient is taken of this.
        parts: scalars by name, for the log alone.
    """

    total: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoreRow:
    """A score on validation objects.

    Attributes:
        measure: such as ``miou`` or ``l1``.
        mean: over the objects.
        count: objects.
        iterations: of each view's code, where the score is of one rate among several.
        source: of the objects, such as ``shards-0``; the loop adds it.
    """

    measure: str
    mean: float
    count: int
    iterations: int | None = None
    source: str = ""

    @property
    def name(self) -> str:
        """The measure and, where there are several, the rate."""
        return self.measure if self.iterations is None else f"{self.measure}-{self.iterations}"


class Task(ABC, Generic[M, S]):
    """What models are trained for: their loss, their scores, and what else depends on them.

    A task draws from the stream that it is given and from torch's generator alone, so that a step is a function of the
    seed and its number.

    Args:
        settings: the task's.
        model: what is going to be trained; looked at, and not kept.
    """

    def __init__(self, settings: S, model: Model) -> None:
        self.settings = settings

    @abstractmethod
    def loss(self, model: M, batch: ObjectSample, rng: Random) -> Losses:
        """What a step minimises.

        Args:
            model: in training mode.
            batch: this process's objects, equally many in every process and with equally many views.
            rng: of this step, the same in every process; see :func:`jc3d.train.sampling.own_share`.
        """

    @abstractmethod
    def scores(self, model: M, batch: ObjectSample) -> list[ScoreRow]:
        """How good a model is on some validation objects; the same rows for every batch.

        Args:
            model: in eval mode.
            batch: of this process.
        """

    @abstractmethod
    def selection(self, rows: Sequence[ScoreRow]) -> float:
        """Picks the checkpoint: higher is better.

        Args:
            rows: of all validation objects, one a measure, rate and source.
        """

    def lr_scale(self, name: str, parameter: Tensor) -> float:
        """The share of the learning rate that a parameter takes."""
        return 1.0

    def uses_muon(self, name: str, parameter: Tensor) -> bool:
        """Whether Muon trains a parameter and not AdamW; at most those for which :func:`is_matrix` holds."""
        return is_matrix(parameter)

    @abstractmethod
    def calibrate(self, model: M, batch: ObjectSample, rng: Random | None = None) -> None:
        """Runs a model without a loss, so that its norms see what they see in training.

        Args:
            model: to run.
            batch: objects.
            rng: draws what a step draws; None: the most of everything.
        """


def mean_score(rows: Sequence[ScoreRow], measure: str) -> float:
    """The mean of a measure over sources and rates, which all weigh alike."""
    return statistics.fmean(row.mean for row in rows if row.measure == measure)


def images_of(batch: ObjectSample) -> Tensor:
    """The views as models read them, (B, V, 3, height, width) float32 in [0, 1]."""
    return batch.views.float() / 255
