"""What is accepted as a grid, and which of its cells count as occupied."""

import re

import numpy as np
import pytest
import torch

from jc3d.geometry.occupancy import checked_grid, occupied_cells
from jc3d.geometry.threshold import THRESHOLD


def test_probabilities_become_float32_and_bools_stay() -> None:
    grid = torch.rand(4, 4, 4, dtype=torch.float64, requires_grad=True)
    values = checked_grid(grid)
    assert values.dtype == np.float32
    assert np.array_equal(values, grid.detach().float().numpy())
    assert checked_grid(np.ones((2, 2, 2), dtype=bool)).dtype == np.bool_


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (np.zeros((4, 4)), "grid: expected (n, n, n), got (4, 4)"),
        (np.zeros((4, 4, 3)), "grid: expected (n, n, n), got (4, 4, 3)"),
        (np.zeros((0, 0, 0)), "grid: expected (n, n, n), got (0, 0, 0)"),
        (np.full((2, 2, 2), 1.5), "grid: expected probabilities in [0, 1], got 1.5 to 1.5"),
        (np.full((2, 2, 2), np.nan), "grid: expected probabilities in [0, 1], got nan to nan"),
        (torch.full((2, 2, 2), -0.5), "grid: expected probabilities in [0, 1], got -0.5 to -0.5"),
    ],
)
def test_other_grids_are_refused(grid: np.ndarray | torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        checked_grid(grid)


def test_occupied_is_strictly_above_the_threshold() -> None:
    threshold = np.float32(THRESHOLD)
    values = np.array([0.0, threshold, np.nextafter(threshold, np.float32(1)), 1.0], dtype=np.float32)
    assert occupied_cells(values, THRESHOLD).tolist() == [False, False, True, True]
    assert occupied_cells(np.array([False, True]), 0.9).tolist() == [False, True]


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_thresholds_out_of_range_are_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match=re.escape(f"threshold: expected a number in [0, 1), got {threshold}")):
        occupied_cells(np.zeros((2, 2, 2), dtype=np.float32), threshold)
