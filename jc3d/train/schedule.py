"""The optimizer of a run and its learning rate over the steps."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from jc3d.train.config import TrainConfig
from jc3d.train.optim import MuonAdamW
from jc3d.train.tasks.task import Task

_GRADIENT_NORM = 1.0


def make_optimizer(config: TrainConfig, task: Task[Any, Any], model: nn.Module) -> MuonAdamW:
    """Muon and AdamW over all that learns, at the learning rates that the task gives each parameter."""
    groups: dict[tuple[float, float, bool], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            lr = config.learning_rate * task.lr_scale(name, parameter)
            decay = config.weight_decay if parameter.dim() > 1 else 0.0
            groups.setdefault((lr, decay, task.uses_muon(name, parameter)), []).append(parameter)
    return MuonAdamW(
        {"params": members, "lr": lr, "weight_decay": decay, "muon": muon}
        for (lr, decay, muon), members in groups.items()
    )


def make_schedule(config: TrainConfig, optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LambdaLR:
    """Linear warm-up, cosine to zero."""

    def factor(step: int) -> float:
        if step < config.warmup:
            return (step + 1) / config.warmup
        progress = (step - config.warmup) / max(1, config.steps - config.warmup)
        return 0.5 * (1 + math.cos(min(1.0, progress) * math.pi))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def clip_gradients(model: nn.Module) -> None:
    """To a norm of one over all parameters."""
    torch.nn.utils.clip_grad_norm_(model.parameters(), _GRADIENT_NORM)
