"""Pictures of grids and of views (extra ``viz``)."""

from __future__ import annotations

import warnings
from typing import Any

from jc3d.viz.grids import draw, picture_png, save_picture
from jc3d.viz.strips import draw_strip, strip_png

__all__ = ["draw", "draw_strip", "picture_png", "save_picture", "strip_png"]

_RENAMED = {"draw_ladder": "draw_strip", "ladder_png": "strip_png"}  # handed on for a release


def __getattr__(name: str) -> Any:
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"jc3d.viz.{name} is named {_RENAMED[name]} now", DeprecationWarning, stacklevel=2)
    return globals()[_RENAMED[name]]
