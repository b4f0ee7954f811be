"""Teaches a model that unprojects its codes where views are taken from, and places some of the views for it.

Some objects are placed by their true poses (teacher forcing), so that the network learns to use poses while it can
hardly tell them; the others by the likeliest poses, so that it learns to live with its own errors. An object whose
front is arbitrary is first turned by quarters, grid and poses, to where the model thinks its front is.

Everywhere B objects have V views: ``scores`` (B, V, AZIMUTH_BINS + 2) are what a model tells of them
(:class:`jc3d.nn.pose_head.PoseHead`), ``poses`` (B, V, 3) the truth, NaN where it is not known.
"""

from __future__ import annotations

import torch
from torch import Tensor

from jc3d.geometry.quarter_turns import quarter_turns
from jc3d.losses.pose import known
from jc3d.nn.pose_head import azimuth_log_likelihood, most_likely_pose


def turn_to_front(scores: Tensor, poses: Tensor, grid: Tensor, ambiguous_front: Tensor) -> tuple[Tensor, Tensor]:
    """Objects turned by quarters to where the model thinks their front is; the others stay.

    Args:
        scores: of their views.
        poses: of their views.
        grid: (B, 32, 32, 32) bool.
        ambiguous_front: (B,) bool: objects to turn.

    Returns:
        Grid and poses after the turns.
    """
    azimuth = poses[..., 0].unsqueeze(-1) + 90.0 * torch.arange(4, device=poses.device)
    fit = azimuth_log_likelihood(scores.detach().unsqueeze(-2).expand(*azimuth.shape, -1), azimuth)
    turns = torch.where(ambiguous_front, fit.nan_to_num().sum(dim=1).argmax(dim=1), 0)
    objects = torch.arange(len(turns), device=turns.device)
    turned = torch.cat((azimuth[objects, :, turns].unsqueeze(-1), poses[..., 1:]), dim=-1)
    return quarter_turns(grid)[objects, turns], turned


def choose_poses(scores: Tensor, poses: Tensor, teacher_forcing: Tensor) -> Tensor:
    """The poses to place views by, (B, V, 3), without gradients.

    Args:
        scores: of the views.
        poses: of the views.
        teacher_forcing: (B,) bool: objects to place by their true poses, where these are known.
    """
    by_truth = (known(poses) & teacher_forcing[:, None]).unsqueeze(-1)
    return torch.where(by_truth, poses, most_likely_pose(scores.detach()))
