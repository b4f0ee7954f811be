"""Quarter turns of grids about the vertical axis, and which of the four fits best."""

from __future__ import annotations

import torch
from torch import Tensor


def quarter_turns(grid: Tensor) -> Tensor:
    """The grid turned by 0, 90, 180 and 270 degrees about the vertical axis: (..., X, Y, Z) -> (..., 4, X, Y, Z).

    Turn k takes +Z towards +X k times (the direction in which azimuth grows).
    """
    return torch.stack([torch.rot90(grid, turns, dims=(-1, -3)) for turns in range(4)], dim=-4)


def best_turn(scores: Tensor) -> Tensor:
    """The turn of the largest score: (..., 4) -> (...) int64, how many quarter turns."""
    return scores.argmax(dim=-1)


def take_turn(turned: Tensor, turns: Tensor) -> Tensor:
    """One of the four turned grids each.

    Args:
        turned: (..., 4, X, Y, Z) of :func:`quarter_turns`.
        turns: (...) int64, 0 to 3, such as of :func:`best_turn`.

    Returns:
        (..., X, Y, Z).
    """
    return turned.take_along_dim(turns[..., None, None, None, None], dim=-4).squeeze(-4)
