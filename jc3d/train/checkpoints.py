"""The checkpoints of a run: where they are, what step they are of, and whether a run may go on from one."""

from __future__ import annotations

import pickle
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from jc3d.train.config import TrainConfig
from jc3d.train.provenance import as_json

BEST = "best"
NEWEST = "last"
PROVENANCE = "jc3d"
"""The key under which a checkpoint holds its run's provenance."""


def folder_of(config: TrainConfig) -> Path:
    """Where a run's checkpoints are."""
    return config.out / "checkpoints"


def path_of(config: TrainConfig, name: str) -> Path:
    """Of the :data:`BEST` or the :data:`NEWEST` checkpoint."""
    return folder_of(config) / f"{name}.ckpt"


def to_resume(config: TrainConfig) -> Path | None:
    """The checkpoint that a run goes on from; None: it starts anew.

    Raises:
        ValueError: there is one that cannot be read or is of an older release, or a setting that changes the result
            differs.
    """
    path = path_of(config, NEWEST)
    if not (config.resume and path.is_file()):
        return None
    try:
        stored = _read(path)[PROVENANCE]["config"]
    except (OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise ValueError(f"resume: {path} is damaged or no checkpoint of ours ({error})") from error
    was, now = _flat(stored), _flat(as_json(config))
    may_change = {
        each.name for part in (config, config.task) for each in fields(part) if each.metadata.get("may_change")
    }
    for name, value in now.items():
        if name not in may_change and name not in was:
            raise ValueError(
                f"resume: expected a run of this release, got {path} of an older one, which does not know {name} and "
                "cannot be resumed; give another folder or --no-resume"
            )
        if name not in may_change and was[name] != value:
            raise ValueError(
                f"{name}: expected {was[name]!r} as in {path}, got {value!r}; give another folder or --no-resume"
            )
    return path


def step_of(checkpoint: Path | None) -> int:
    """The step a checkpoint was saved at; 0 if there is none."""
    return 0 if checkpoint is None else int(_read(checkpoint)["global_step"])


def load_weights(checkpoint: Path, model: nn.Module) -> dict[str, Any]:
    """Gives a model the weights of a checkpoint; returns the provenance of its run, and its step."""
    state, prefix = _read(checkpoint), "model."
    model.load_state_dict({key.removeprefix(prefix): value for key, value in state["state_dict"].items()})
    facts: dict[str, Any] = state[PROVENANCE] | {"steps": state["global_step"]}
    return facts


def _read(checkpoint: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(checkpoint, weights_only=True, map_location="cpu")
    return state


def _flat(config: dict[str, Any]) -> dict[str, Any]:
    """The settings of the task beside the others."""
    common = {name: value for name, value in config.items() if name != "task"}
    of_task: dict[str, Any] = config.get("task", {})
    return common | of_task
