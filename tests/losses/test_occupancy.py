"""The occupancy loss: cross-entropy, the soft IoU, and ambiguous fronts."""

import pytest
import torch
from torch.nn import functional as F

from jc3d.geometry.quarter_turns import quarter_turns
from jc3d.losses import occupancy_loss

FALSE = torch.zeros(2, dtype=torch.bool)


def test_loss_is_two_class_cross_entropy() -> None:
    torch.manual_seed(0)
    logits, grid = torch.randn(2, 2, 32, 32, 32), torch.rand(2, 32, 32, 32) < 0.3
    torch.testing.assert_close(occupancy_loss(logits, grid, FALSE), F.cross_entropy(logits, grid.long()))


def test_soft_iou_weighs_a_small_object_as_much_as_a_large_one() -> None:
    grid = torch.zeros(2, 32, 32, 32, dtype=torch.bool)
    grid[0, 4:8, 4:8, 4:8] = True  # 64 cells
    grid[1, 4:28, 4:28, 4:28] = True  # 13,824
    margin = torch.where(grid, 30.0, -30.0)
    logits = torch.stack((-margin / 2, margin / 2), dim=1)
    torch.testing.assert_close(occupancy_loss(logits, grid, FALSE, iou_weight=1.0), torch.tensor(0.0))
    for wrong in (0, 1):
        half = logits.clone()
        half[wrong, :, :, :, 16 if wrong else 6 :] = logits[wrong, :, :1, :1, :1]  # its upper half is missed
        iou_part = occupancy_loss(half, grid, FALSE, iou_weight=1.0) - occupancy_loss(half, grid, FALSE)
        assert iou_part == pytest.approx((1 - 0.5) / 2, rel=0.02)


def test_an_empty_grid_predicted_empty_costs_nothing() -> None:
    logits = torch.tensor([15.0, -15.0]).view(1, 2, 1, 1, 1).expand(1, 2, 32, 32, 32)
    empty = torch.zeros(1, 32, 32, 32, dtype=torch.bool)
    assert occupancy_loss(logits, empty, FALSE[:1], iou_weight=1.0) < 1e-3


def test_ambiguous_front_takes_the_best_turn_of_each_object() -> None:
    torch.manual_seed(0)
    grid = torch.rand(2, 32, 32, 32) < 0.3
    turned = torch.stack((quarter_turns(grid)[0, 3], quarter_turns(grid)[1, 2]))
    logits = torch.stack((-turned.float(), turned.float()), dim=1) * 4
    right = F.cross_entropy(logits, turned.long())
    torch.testing.assert_close(occupancy_loss(logits, grid, ~FALSE), right)
    assert occupancy_loss(logits, grid, FALSE) > 2 * right
    one_free = torch.tensor([True, False])
    alone = [occupancy_loss(logits[i : i + 1], grid[i : i + 1], one_free[i : i + 1], 0.5) for i in range(2)]
    torch.testing.assert_close(occupancy_loss(logits, grid, one_free, 0.5), torch.stack(alone).mean())
