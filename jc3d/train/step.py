"""What a step minimises, for the loop and for what measures it."""

from __future__ import annotations

from typing import Any

import torch

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample
from jc3d.models import Model
from jc3d.train.tasks.task import Losses, Task


def losses_of_step(task: Task[Any, Any], model: Model, batch: ObjectSample, seed: int, step: int) -> Losses:
    """The losses of a batch, a function of the seed and the step's number; seeds torch's generator.

    The binarizer's draws follow that generator: seeded by step, a resumed run repeats them, and processes that are
    seeded alike share one draw for the whole batch.

    Args:
        task: what the model is trained for.
        model: in training mode.
        batch: this process's objects.
        seed: of the run.
        step: its number, from 0 on.
    """
    rng = Random(seed, step)
    torch.manual_seed(rng.integers(0, 2**62))
    return task.loss(model, batch, rng)
