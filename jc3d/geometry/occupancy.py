"""Occupancy grids as arrays: what is accepted as one, and which of its cells count as occupied."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

GridLike = NDArray[np.generic] | Tensor


def checked_grid(grid: GridLike) -> NDArray[np.generic]:
    """A grid as an array: (n, n, n) bool, or float32 probabilities.

    Raises:
        ValueError: it is not a cube, or holds NaN or values outside [0, 1].
    """
    values = grid.detach().cpu().numpy() if isinstance(grid, Tensor) else np.asarray(grid)
    if values.ndim != 3 or len(set(values.shape)) != 1 or values.size == 0:
        raise ValueError(f"grid: expected (n, n, n), got {values.shape}")
    if values.dtype == np.bool_:
        return values
    low, high = float(values.min()), float(values.max())
    if not (low >= 0.0 and high <= 1.0):  # NaN fails both
        raise ValueError(f"grid: expected probabilities in [0, 1], got {low} to {high}")
    return values.astype(np.float32)


def occupied_cells(values: NDArray[np.generic], threshold: float) -> NDArray[np.bool_]:
    """The cells of a checked grid whose probability is strictly above the threshold.

    Raises:
        ValueError: the threshold is not in [0, 1).
    """
    if not 0.0 <= threshold < 1.0:
        raise ValueError(f"threshold: expected a number in [0, 1), got {threshold}")
    if values.dtype == np.bool_:
        return values.astype(np.bool_)
    occupied: NDArray[np.bool_] = np.greater(values, np.float32(threshold))
    return occupied
