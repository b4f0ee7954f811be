"""IoU against numpy, its corners, and the direction of the quarter turns."""

import numpy as np
import pytest
import torch

from jc3d.geometry.quarter_turns import quarter_turns
from jc3d.metrics import best_quarter_turn, iou


def test_against_numpy() -> None:
    rng = np.random.default_rng(0)
    prob, target = rng.random((5, 8, 9, 10), dtype=np.float32), rng.random((5, 8, 9, 10)) < 0.3
    ours = iou(torch.from_numpy(prob), torch.from_numpy(target), 0.4)
    for i in range(5):
        occupied = prob[i] > 0.4
        expected = np.logical_and(occupied, target[i]).sum() / np.logical_or(occupied, target[i]).sum()
        assert ours[i] == pytest.approx(expected, abs=1e-7)


def test_corners() -> None:
    empty, full = torch.zeros(2, 2, 2), torch.ones(2, 2, 2)
    assert iou(empty, empty) == 1
    assert iou(empty, full) == 0
    assert iou(full * 0.4, full, 0.4) == 0  # strictly above
    assert iou(torch.full((2, 2, 2), torch.nan), full) == 0


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"target: expected \(2, 2, 2\) like prob, got \(2, 2, 3\)"):
        iou(torch.zeros(2, 2, 2), torch.zeros(2, 2, 3))


def test_quarter_turn_takes_z_towards_x() -> None:
    grid = torch.zeros(4, 4, 4, dtype=torch.bool)
    grid[2, 1, 3] = True  # near the +Z face
    turned = quarter_turns(grid)
    assert turned[0].equal(grid)
    assert turned[1].nonzero().tolist() == [[3, 1, 1]]  # near the +X face
    assert turned[2].nonzero().tolist() == [[1, 1, 0]]


def test_best_turn_finds_the_turn() -> None:
    torch.manual_seed(0)
    grid = torch.rand(3, 8, 8, 8) < 0.2
    for turns in range(4):
        best, which = best_quarter_turn(quarter_turns(grid)[:, turns].float(), grid)
        assert best.tolist() == [1, 1, 1]
        assert which.tolist() == [turns] * 3
