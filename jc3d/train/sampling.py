"""Which objects and views a step sees: a function of the seed and the step's number alone.

It never depends on the process that happens to run a step. So a resumed run continues the same sequence, and N
processes see what one would.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from torch.utils.data import DataLoader, Dataset, Sampler

from jc3d.data.counter_rng import Random
from jc3d.data.jitter import jitter
from jc3d.data.samples import ObjectSample, Source, stack
from jc3d.data.sources.spec import SourceSpec

if TYPE_CHECKING:
    from jc3d.train.config import TrainConfig

VALIDATION_VIEWS = 5
VALIDATION_BATCH = 16
_VALIDATION_NORM_OBJECTS = 256  # fewer if an epoch has fewer

T = TypeVar("T")


class SampleKey(NamedTuple):
    """What the sampler asks of the data set: one look at one object.

    Attributes:
        source: index of the source.
        item: of the object in it.
        seed: draws views, lights and augmentation.
        views: how many.
    """

    source: int
    item: int
    seed: int
    views: int


class Mixture(Dataset[ObjectSample]):
    """Several sources as one data set, indexed by :class:`SampleKey`; ``augmented``: every object is jittered."""

    def __init__(self, sources: list[Source], augmented: bool) -> None:
        self.sources = sources
        self.augmented = augmented

    def __getitem__(self, key: SampleKey) -> ObjectSample:
        """Looks."""
        sample = self.sources[key.source].get(key.item, key.seed, key.views)
        return jitter(sample, Random(key.seed, key.item)) if self.augmented else sample


class TrainingData:
    """The training sources of a run, opened, and what each step takes of them.

    Args:
        config: the run.

    Raises:
        ValueError: a source that does not exist, or cannot give what a step will ask for.
    """

    def __init__(self, config: TrainConfig) -> None:
        specs = [SourceSpec.parse(text) for text in config.data]
        self.config = config
        self.shares = [spec.weight for spec in specs]
        self.sources = [spec.open("train") for spec in specs]
        for source in self.sources:
            source.get(0, 0, config.max_views)

    @property
    def augmented(self) -> Mixture:
        """The sources as one data set."""
        return Mixture(self.sources, augmented=True)

    def keys_of_step(self, step: int) -> list[SampleKey]:
        """All that a step sees, in all processes, with equally many views of each object."""
        rng = Random(self.config.seed, step)
        views = rng.integers(self.config.min_views, self.config.max_views + 1)
        return [self._draw_key(rng, views) for _ in range(self.config.batch_size)]

    @property
    def calibration_steps(self) -> int:
        """Batches that give the norms their statistics before a validation."""
        return min(self.config.checkpoint_every, max(1, _VALIDATION_NORM_OBJECTS // self.config.batch_size))

    def calibration_batches(self) -> Iterator[tuple[ObjectSample, Random]]:
        """This process's share of batches for the norms, always the same, and what draws the rest of such a step."""
        config, (rank, world) = self.config, rank_and_world()
        local = config.batch_size // world
        rng, objects = Random(config.seed, -1), self.augmented
        for _ in range(self.calibration_steps):
            keys = [self._draw_key(rng, config.max_views) for _ in range(config.batch_size)]
            yield stack([objects[key] for key in keys[rank * local : (rank + 1) * local]]), rng

    def _draw_key(self, rng: Random, views: int) -> SampleKey:
        source = rng.choice(range(len(self.sources)), self.shares)
        return SampleKey(source, rng.integers(0, len(self.sources[source])), rng.integers(0, 2**31), views)


class StepSampler(Sampler[SampleKey]):
    """The keys of one process; an epoch is ``checkpoint_every`` steps.

    Args:
        data: of the run.
        steps_done: asked at the start of every epoch, also after a resume.

    Raises:
        ValueError: the batch cannot be shared evenly.
    """

    def __init__(self, data: TrainingData, steps_done: Callable[[], int]) -> None:
        self.data = data
        self.steps_done = steps_done
        self.rank, self.world = rank_and_world()
        batch_size = data.config.batch_size
        if batch_size % self.world:
            raise ValueError(f"batch_size: expected a multiple of the {self.world} processes, got {batch_size}")
        self.local_batch = batch_size // self.world

    def __len__(self) -> int:
        return self.data.config.checkpoint_every * self.local_batch

    def __iter__(self) -> Iterator[SampleKey]:
        first = self.steps_done()
        for step in range(first, first + self.data.config.checkpoint_every):
            yield from self.data.keys_of_step(step)[self.rank * self.local_batch :][: self.local_batch]


def training_loader(data: TrainingData, steps_done: Callable[[], int]) -> DataLoader[ObjectSample]:
    """This process's batches of steps."""
    sampler = StepSampler(data, steps_done)
    return _loader(data.config, data.augmented, sampler, sampler.local_batch)


def validation_loader(config: TrainConfig, spec: SourceSpec) -> DataLoader[ObjectSample]:
    """This process's share of the validation objects of a source.

    Raises:
        ValueError: the source has too few, or does not exist.
    """
    source = spec.open("val")
    rank, world = rank_and_world()
    count = min(config.val_objects, len(source))
    keys = [SampleKey(0, index, 0, VALIDATION_VIEWS) for index in range(count)][rank::world]
    if not keys:
        raise ValueError(f"val_objects: expected one for each of the {world} processes at least, got {count}")
    source.get(0, 0, VALIDATION_VIEWS)
    return _loader(config, Mixture([source], augmented=False), keys, min(VALIDATION_BATCH, len(keys)))


def _loader(config: TrainConfig, objects: Mixture, sampler: Any, batch_size: int) -> DataLoader[ObjectSample]:
    return DataLoader(
        objects,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=config.workers,
        collate_fn=stack,
        multiprocessing_context="spawn" if config.workers else None,
        persistent_workers=config.workers > 0,
    )


def rank_and_world() -> tuple[int, int]:
    """This process's number and how many there are, as torchrun tells them."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def own_share(count: int, draw: Callable[[], T]) -> list[T]:
    """This process's part of what is drawn for the objects of a whole batch.

    Args:
        count: objects of this process; every process has as many.
        draw: draws for the next object, alike in every process.
    """
    rank, world = rank_and_world()
    return [draw() for _ in range(count * world)][rank * count : (rank + 1) * count]
