"""Whose poses place the views, and what the model is told of its own."""

import math

import pytest
import torch

from jc3d.geometry.quarter_turns import quarter_turns
from jc3d.nn.pose_head import AZIMUTH_BINS, most_likely_pose
from jc3d.train.pose_teacher import choose_poses, turn_to_front

POSES = torch.tensor([[[10.0, 26.0, 1.5], [100.0, 27.0, 1.4]], [[200.0, 28.0, 1.8], [330.0, 29.0, 1.2]]])
GRID = torch.rand(2, 4, 4, 4, generator=torch.Generator().manual_seed(0)) > 0.5
FALSE, TRUE = torch.tensor([False, False]), torch.tensor([True, True])


def scores_for(azimuth: torch.Tensor) -> torch.Tensor:
    """Scores of views that are all but certain of their azimuths."""
    bins = (azimuth / (360 / AZIMUTH_BINS)).round().long() % AZIMUTH_BINS
    return 12.0 * torch.nn.functional.one_hot(bins, AZIMUTH_BINS + 2)


def random_scores() -> torch.Tensor:
    return torch.randn(2, 2, AZIMUTH_BINS + 2, generator=torch.Generator().manual_seed(1))


def test_teacher_forced_objects_go_by_the_truth_and_others_by_what_is_likeliest() -> None:
    scores = random_scores().requires_grad_()
    placed = choose_poses(scores, POSES, torch.tensor([True, False]))
    torch.testing.assert_close(placed[0], POSES[0])
    torch.testing.assert_close(placed[1], most_likely_pose(scores.detach())[1])
    assert not placed.requires_grad


def test_unknown_poses_are_not_used() -> None:
    poses, scores = POSES.clone(), random_scores()
    poses[0, 1] = math.nan
    placed = choose_poses(scores, poses, TRUE)
    torch.testing.assert_close(placed[0, 1], most_likely_pose(scores)[0, 1])


def test_where_nothing_is_known_nothing_is_turned() -> None:
    unknown = torch.full_like(POSES, math.nan)
    assert choose_poses(random_scores(), unknown, TRUE).isfinite().all()
    grid, poses = turn_to_front(random_scores(), unknown, GRID, TRUE)
    assert torch.equal(grid, GRID)
    assert poses.isnan().all()


@pytest.mark.parametrize("turns", range(4))
def test_an_ambiguous_front_is_turned_to_where_the_model_sees_it(turns: int) -> None:
    """The model says the second object is turned; grid and poses follow it together, those of the first stay."""
    believed = POSES[..., 0] + torch.tensor([0.0, 90.0 * turns])[:, None]
    grid, poses = turn_to_front(scores_for(believed), POSES, GRID, torch.tensor([False, True]))
    torch.testing.assert_close(poses[..., 0], believed)
    torch.testing.assert_close(poses[..., 1:], POSES[..., 1:])
    assert torch.equal(grid[0], GRID[0])
    assert torch.equal(grid[1], quarter_turns(GRID[1])[turns])


def test_objects_whose_front_is_known_stay() -> None:
    grid, poses = turn_to_front(scores_for(POSES[..., 0] + 90.0), POSES, GRID, FALSE)
    assert torch.equal(grid, GRID)
    assert torch.equal(poses, POSES)
