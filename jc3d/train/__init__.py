"""Training with Lightning (``jc3d train``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jc3d.train.loop import TrainConfig, train

__all__ = ["TrainConfig", "train"]


def __getattr__(name: str) -> Any:
    """Imports Lightning when something of the loop is asked for, and not before."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from jc3d.train import loop

    return getattr(loop, name)
