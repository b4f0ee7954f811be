"""What a run starts from: fresh weights, those of other models as far as they fit, and parts that stay as they are."""

from __future__ import annotations

import torch
from torch import nn

from jc3d.data.samples import ObjectSample, stack
from jc3d.models import Model, create, fold_norms, load, unfold_norms
from jc3d.train.config import TrainConfig
from jc3d.train.sampling import TrainingData
from jc3d.train.tasks.registry import make_task

_INITIAL_NORM_OBJECTS = 32  # more if there are more sources


def initial_model(config: TrainConfig, data: TrainingData) -> tuple[Model, str]:
    """The model that a run starts with, in training mode but for its frozen parts.

    Args:
        config: the run.
        data: what the normalisations of weights without any are measured on.

    Returns:
        The model, and in words what was taken of ``config.init``; "" for fresh weights.

    Raises:
        ValueError: weights of which nothing fits, or no part of that name.
        WeightsError: no such weights, or they are damaged.
    """
    fresh = create(config.preset, config.seed)
    model, taken = _with_init(fresh, config, data) if config.init else (fresh, "")
    freeze_parts(model.train(), config)
    return model, taken


def freeze_parts(model: nn.Module, config: TrainConfig) -> None:
    """Parts that stay as they are learn nothing and run as in inference.

    Raises:
        ValueError: there is no such part.
    """
    for name in config.frozen:
        part(model, name, "frozen").requires_grad_(False).eval()


def _with_init(fresh: Model, config: TrainConfig, data: TrainingData) -> tuple[Model, str]:
    """Those of ``config.init`` over fresh weights, normalisations put back; and what was taken of them."""
    norm = fresh.config.norm
    model = fold_norms(fresh) if norm else fresh
    taken = []
    for text in config.init:
        name, _, weights = text.rpartition("=")
        target = part(model, name, "init") if name else model
        count = take(target, load(weights))
        if not count:
            raise ValueError(f"init: expected weights that fit {config.preset}, got {text!r}, of which none does")
        taken.append(f"{count} of {len(target.state_dict())} tensors of {text}")
    if norm:
        batch = initial_norm_batch(config, data)
        model = unfold_norms(model, lambda unfolded: make_task(config.task, unfolded).calibrate(unfolded, batch))
    return model.requires_grad_(True), ", ".join(taken)


def initial_norm_batch(config: TrainConfig, data: TrainingData) -> ObjectSample:
    """What the normalisations of weights without any are measured on: as many objects of every source, one at least."""
    of_each = max(1, _INITIAL_NORM_OBJECTS // len(data.sources))
    draws = [(source, index) for index in range(of_each) for source in data.sources]
    return stack([source.get(index % len(source), config.seed, config.max_views) for source, index in draws])


def part(model: nn.Module, name: str, argument: str) -> nn.Module:
    """The part of a model that an argument names.

    Raises:
        ValueError: there is none of that name.
    """
    parts = dict(model.named_children())
    if name not in parts:
        raise ValueError(f"{argument}: expected a part among {', '.join(parts)}, got {name!r}")
    return parts[name]


def take(target: nn.Module, source: nn.Module) -> int:
    """Copies the tensors that have the same name and shape, or are kernels of fewer inputs; says how many.

    A kernel with more inputs than the one it is copied from ignores the others.
    """
    stored = source.state_dict()
    count = 0
    with torch.no_grad():
        for name, tensor in target.state_dict().items():
            other = stored.get(name)
            if other is None or other.dim() != tensor.dim() or (other.dim() < 2 and other.shape != tensor.shape):
                continue
            if other.shape == tensor.shape:
                tensor.copy_(other)
            elif len(other) == len(tensor) and other.shape[2:] == tensor.shape[2:] and other.shape[1] < tensor.shape[1]:
                tensor.zero_()[:, : other.shape[1]] = other
            else:
                continue
            count += 1
    return count
