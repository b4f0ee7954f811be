"""About how long a run takes: a few of its steps, measured on this machine."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample, stack
from jc3d.data.sources.spec import SourceSpec
from jc3d.models import create
from jc3d.train.config import TrainConfig
from jc3d.train.sampling import VALIDATION_BATCH, VALIDATION_VIEWS, SampleKey, TrainingData
from jc3d.train.schedule import clip_gradients, make_optimizer
from jc3d.train.start import freeze_parts
from jc3d.train.step import losses_of_step
from jc3d.train.tasks.registry import make_task

_MOST_STEPS = 12
_FEWEST_STEPS = 2


@dataclass(frozen=True)
class Duration:
    """Seconds that a run takes, from fresh weights to the end.

    Attributes:
        step: mean of the measured steps, loading included.
        validation: one validation, with the statistics of the norms before it.
        total: of all steps and validations.
        measured_steps: how many were measured, after one to warm up.
        own_data: whether these saw the run's own data; else one generated object stood in for it, and loading is left
            out.
    """

    step: float
    validation: float
    total: float
    measured_steps: int
    own_data: bool


def measure(config: TrainConfig, budget: float = 20.0) -> Duration:
    """Measures a run's first steps, and a part of a validation.

    Args:
        config: the run.
        budget: seconds for the steps; at least two are measured, at most twelve.

    Raises:
        ValueError: the preset has no such part to freeze.
    """
    threads = torch.get_num_threads()
    try:
        if config.threads:
            torch.set_num_threads(config.threads)
        with torch.random.fork_rng():
            return _measure(config, budget)
    finally:
        torch.set_num_threads(threads)


def _measure(config: TrainConfig, budget: float) -> Duration:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bench = StepBench(config, device)
    seconds: list[float] = []
    bench.step(0)
    while len(seconds) < _FEWEST_STEPS or (len(seconds) < _MOST_STEPS and sum(seconds) < budget):
        seconds.append(bench.step(len(seconds) + 1))
    step, validation = math.fsum(seconds) / len(seconds), bench.validation()
    # The best and the newest checkpoint are validated once more in the end.
    total = config.steps * step + (config.steps // config.checkpoint_every + 2) * validation
    return Duration(step, validation, total, len(seconds), bench.own_data)


def seconds_to_render(source: str, views: int, objects: int = 3) -> float:
    """Seconds that one process renders an object of a source, the mean over a few."""
    opened = SourceSpec.parse(source).open("train")
    opened.get(0, 0, views)  # imports what it needs
    start = time.perf_counter()
    for index in range(objects):
        opened.get(index % len(opened), 1, views)
    return (time.perf_counter() - start) / objects


class StepBench:
    """A model under training as the loop has it, without the loop."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        try:
            self.data, self.own_data = TrainingData(config), True
        except (OSError, ValueError):
            self.data, self.own_data = TrainingData(replace(config, data=("procedural",))), False
        self.model = create(config.preset, config.seed).to(device).train()
        freeze_parts(self.model, config)
        self.task = make_task(config.task, self.model)
        self.optimizer = make_optimizer(config, self.task, self.model)

    def step(self, step: int) -> float:
        """Seconds of one step."""
        keys = self.data.keys_of_step(step)
        start = time.perf_counter()
        batch = self._batch(keys)
        loaded = time.perf_counter()
        with self._precision():
            loss = losses_of_step(self.task, self.model, batch, self.config.seed, step).total
        self.optimizer.zero_grad()
        loss.backward()
        clip_gradients(self.model)
        self.optimizer.step()
        self._wait()
        loading, learning = loaded - start, time.perf_counter() - loaded
        if not self.own_data:
            return learning
        # Processes of their own load while the model learns.
        return max(learning, loading / self.config.workers) if self.config.workers else loading + learning

    def validation(self) -> float:
        """Seconds of a validation on all sources."""
        config = self.config
        objects = min(VALIDATION_BATCH, config.val_objects)
        scorings = math.ceil(config.val_objects / objects) * len(config.val_data)
        seconds = scorings * self._scoring(self._batch([SampleKey(0, 0, 0, VALIDATION_VIEWS)] * objects))
        if self.model.config.norm:
            batch = self._batch([SampleKey(0, 0, 0, config.max_views)] * config.batch_size)
            seconds += self.data.calibration_steps * self._calibration(batch)
        return seconds

    def _scoring(self, batch: ObjectSample) -> float:
        self.model.eval()
        with torch.no_grad(), self._precision():
            start = time.perf_counter()
            self.task.scores(self.model, batch)
            self._wait()
        return time.perf_counter() - start

    def _calibration(self, batch: ObjectSample) -> float:
        self.model.train()
        with torch.no_grad(), self._precision():
            start = time.perf_counter()
            self.task.calibrate(self.model, batch, Random(self.config.seed))
            self._wait()
        return time.perf_counter() - start

    def _batch(self, keys: list[SampleKey]) -> ObjectSample:
        objects = self.data.augmented
        samples = [objects[key] for key in keys] if self.own_data else [objects[keys[0]]] * len(keys)
        return ObjectSample(*(tensor.to(self.device) for tensor in stack(samples)))

    def _precision(self) -> AbstractContextManager[Any]:
        mixed = self.config.precision == "bf16-mixed"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=mixed)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
