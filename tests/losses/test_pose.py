"""The pose loss: least at the truth, and nothing where that is not known."""

import math

import torch

from jc3d.losses import pose_loss
from jc3d.losses.pose import pose_losses
from jc3d.nn.pose_head import AZIMUTH_BINS, most_likely_pose

POSES = torch.tensor([[[10.0, 26.0, 1.5], [100.0, 27.0, 1.4]], [[200.0, 28.0, 1.8], [330.0, 29.0, 1.2]]])


def random_scores() -> torch.Tensor:
    return torch.randn(2, 2, AZIMUTH_BINS + 2, generator=torch.Generator().manual_seed(1))


def test_loss_is_least_at_the_true_pose_and_its_gradient_leads_there() -> None:
    true = torch.tensor([100.0, 28.0, 1.4])
    row = torch.zeros(AZIMUTH_BINS + 2, requires_grad=True)
    optimizer = torch.optim.Adam([row], lr=0.2)
    first = None
    for _ in range(150):
        optimizer.zero_grad()
        loss = pose_losses(row, true)
        first = loss.item() if first is None else first
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3 * first
    torch.testing.assert_close(most_likely_pose(row.detach()), true, rtol=0, atol=0.05)


def test_every_view_has_its_loss() -> None:
    losses = pose_losses(random_scores(), POSES)
    assert losses.shape == (2, 2)
    torch.testing.assert_close(losses[1, 0], pose_losses(random_scores()[1, 0], POSES[1, 0]))


def test_the_loss_of_known_poses_is_their_mean() -> None:
    torch.testing.assert_close(pose_loss(random_scores(), POSES), pose_losses(random_scores(), POSES).mean())


def test_the_loss_is_the_mean_of_the_parts_of_a_batch_wherever_the_unknown_poses_are() -> None:
    poses, scores = POSES.clone(), random_scores()
    poses[0, 1] = math.nan
    parts = [pose_loss(scores[i : i + 1], poses[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(pose_loss(scores, poses), (parts[0] + parts[1]) / 2)


def test_unknown_poses_are_not_learned() -> None:
    poses, scores = POSES.clone(), random_scores().requires_grad_()
    poses[0, 1] = math.nan
    pose_loss(scores, poses).backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()
    assert scores.grad.abs().sum(dim=2).gt(0).tolist() == [[True, False], [True, True]]


def test_nothing_known_is_no_loss() -> None:
    assert pose_loss(random_scores(), torch.full_like(POSES, math.nan)) == 0
