"""Training with Lightning (``jc3d train``)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jc3d.train.config import TrainConfig
    from jc3d.train.loop import train

__all__ = ["TrainConfig", "train"]

_HOMES = {"TrainConfig": "config", "train": "loop"}


def __getattr__(name: str) -> Any:
    """Imports torch or Lightning when something that needs it is asked for, and not before."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"jc3d.train.{_HOMES[name]}"), name)
