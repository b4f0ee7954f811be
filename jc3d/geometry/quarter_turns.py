"""Quarter turns of grids about the vertical axis."""

from __future__ import annotations

import torch
from torch import Tensor


def quarter_turns(grid: Tensor) -> Tensor:
    """The grid turned by 0, 90, 180 and 270 degrees about the vertical axis: (..., X, Y, Z) -> (..., 4, X, Y, Z).

    Turn k takes +Z towards +X k times (the direction in which azimuth grows).
    """
    return torch.stack([torch.rot90(grid, turns, dims=(-1, -3)) for turns in range(4)], dim=-4)
