"""Whose poses place the views, and what the model is told of its own."""

import math

import pytest
import torch

from jc3d.geometry.quarter_turns import quarter_turns
from jc3d.nn.pose_head import AZIMUTH_BINS, most_likely_pose, pose_loss
from jc3d.train.pose_teacher import PoseTeacher

POSES = torch.tensor([[[10.0, 26.0, 1.5], [100.0, 27.0, 1.4]], [[200.0, 28.0, 1.8], [330.0, 29.0, 1.2]]])
GRID = torch.rand(2, 4, 4, 4, generator=torch.Generator().manual_seed(0)) > 0.5
FALSE, TRUE = torch.tensor([False, False]), torch.tensor([True, True])


def scores_for(azimuth: torch.Tensor) -> torch.Tensor:
    """Scores of views that are all but certain of their azimuths."""
    scores = torch.zeros(azimuth.numel(), AZIMUTH_BINS + 2)
    bins = (azimuth.flatten() / (360 / AZIMUTH_BINS)).round().long() % AZIMUTH_BINS
    scores[torch.arange(len(bins)), bins] = 12.0
    return scores


def test_forced_objects_go_by_the_truth_and_others_by_what_is_likeliest() -> None:
    scores = torch.randn(4, AZIMUTH_BINS + 2)
    teacher = PoseTeacher(GRID, POSES, FALSE, torch.tensor([True, False]))
    placed = teacher(scores)
    torch.testing.assert_close(placed[:2], POSES[0])
    torch.testing.assert_close(placed[2:], most_likely_pose(scores)[2:])
    assert torch.equal(teacher.grid, GRID)
    torch.testing.assert_close(teacher.loss(), pose_loss(scores.view(2, 2, -1), POSES).mean())


def test_the_loss_is_the_mean_of_the_parts_of_a_batch_wherever_the_unknown_poses_are() -> None:
    poses = POSES.clone()
    poses[0, 1] = math.nan
    scores = torch.randn(4, AZIMUTH_BINS + 2)
    whole = PoseTeacher(GRID, poses, FALSE, TRUE)
    whole(scores)
    parts = [PoseTeacher(GRID[i : i + 1], poses[i : i + 1], FALSE[:1], TRUE[:1]) for i in range(2)]
    for part, share in zip(parts, scores.chunk(2), strict=True):
        part(share)
    torch.testing.assert_close(whole.loss(), (parts[0].loss() + parts[1].loss()) / 2)


def test_unknown_poses_are_neither_used_nor_learned() -> None:
    poses = POSES.clone()
    poses[0, 1] = math.nan
    scores = torch.randn(4, AZIMUTH_BINS + 2, requires_grad=True)
    teacher = PoseTeacher(GRID, poses, FALSE, TRUE)
    placed = teacher(scores)
    torch.testing.assert_close(placed[1], most_likely_pose(scores.detach())[1])
    teacher.loss().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()
    assert scores.grad.abs().sum(dim=1).gt(0).tolist() == [True, False, True, True]


def test_nothing_known_is_no_loss() -> None:
    teacher = PoseTeacher(GRID, torch.full_like(POSES, math.nan), TRUE, TRUE)
    assert teacher.loss() == 0
    assert teacher(torch.randn(4, AZIMUTH_BINS + 2)).isfinite().all()
    assert teacher.loss() == 0
    assert torch.equal(teacher.grid, GRID)


@pytest.mark.parametrize("turns", range(4))
def test_an_ambiguous_front_is_turned_to_where_the_model_sees_it(turns: int) -> None:
    """The model says the second object is turned; grid and poses follow it together, those of the first stay."""
    believed = POSES[..., 0] + torch.tensor([0.0, 90.0 * turns])[:, None]
    teacher = PoseTeacher(GRID, POSES, torch.tensor([False, True]), TRUE)
    placed = teacher(scores_for(believed)).view(2, 2, 3)
    torch.testing.assert_close(placed[..., 0], believed)
    torch.testing.assert_close(placed[..., 1:], POSES[..., 1:])
    assert torch.equal(teacher.grid[0], GRID[0])
    assert torch.equal(teacher.grid[1], quarter_turns(GRID[1])[turns])
    assert not teacher.free_target.any()  # placed by its poses, the turned grid is the only one that is right


def test_without_poses_any_turn_is_right() -> None:
    never_asked = PoseTeacher(GRID, POSES, TRUE, TRUE)
    assert never_asked.free_target.all()
    unknown = PoseTeacher(GRID, torch.full_like(POSES, math.nan), TRUE, TRUE)
    unknown(torch.randn(4, AZIMUTH_BINS + 2))
    assert unknown.free_target.all()
