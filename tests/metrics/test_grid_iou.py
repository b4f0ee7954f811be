"""IoU against numpy, its corners, and with the quarter turns of the truth."""

import numpy as np
import pytest
import torch

from jc3d.geometry.quarter_turns import quarter_turns
from jc3d.metrics import best_quarter_turn, iou, turned_ious


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


@pytest.mark.parametrize("turns", range(4))
def test_best_turn_finds_the_turn(turns: int) -> None:
    torch.manual_seed(0)
    grid = torch.rand(3, 8, 8, 8) < 0.2
    best, which = best_quarter_turn(quarter_turns(grid)[:, turns].float(), grid)
    assert best.tolist() == [1, 1, 1]
    assert which.tolist() == [turns] * 3


def test_ious_of_every_turn_at_several_thresholds() -> None:
    torch.manual_seed(1)
    prob, target = torch.rand(2, 8, 8, 8), torch.rand(2, 8, 8, 8) < 0.3
    ious = turned_ious(prob, target, [0.3, 0.6])
    assert ious.shape == (2, 2, 4)
    for index, threshold in enumerate((0.3, 0.6)):
        for turns in range(4):
            assert torch.equal(ious[index, :, turns], iou(prob, quarter_turns(target)[:, turns], threshold))
        best, which = best_quarter_turn(prob, target, threshold)
        assert torch.equal(best, ious[index].amax(dim=1))
        assert torch.equal(which, ious[index].argmax(dim=1))
