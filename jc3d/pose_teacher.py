"""Teaches a model that lifts its codes where views are taken from, and at first places the views for it."""

from __future__ import annotations

import torch
from torch import Tensor

from jc3d.metrics import quarter_turns
from jc3d.nn.pose_head import azimuth_log_likelihood, most_likely_pose, pose_loss


class PoseTeacher:
    """Decides for one batch where its views are placed from (:data:`jc3d.nn.PoseChoice`), and keeps what was said.

    Some objects are placed by their true poses (teacher forcing), so that the network learns to use them before it can
    tell them; the others by the likeliest poses, so that it learns to live with its own errors. An object whose front
    is arbitrary is first turned by quarters to where the model thinks its front is.

    Args:
        grid: (B, 32, 32, 32) bool.
        poses: (B, V, 3); NaN where not known.
        free_front: (B,) bool.
        forced: (B,) bool: objects to place by their true poses.
    """

    def __init__(self, grid: Tensor, poses: Tensor, free_front: Tensor, forced: Tensor) -> None:
        self.grid = grid
        self.poses = poses
        self.free_front = free_front
        self.forced = forced
        self.scores: Tensor | None = None

    def __call__(self, scores: Tensor) -> Tensor:
        """Pose scores of the views (B·V, ...), object by object, to the poses (B·V, 3) to go by."""
        self.scores = scores.unflatten(0, self.poses.shape[:2])
        likeliest = most_likely_pose(self.scores.detach())
        self._turn()
        known = self.poses.isfinite().all(dim=-1, keepdim=True)
        return torch.where(known & self.forced[:, None, None], self.poses, likeliest).flatten(0, 1)

    def _turn(self) -> None:
        assert self.scores is not None
        azimuth = self.poses[..., 0].unsqueeze(-1) + 90.0 * torch.arange(4, device=self.poses.device)
        fit = azimuth_log_likelihood(self.scores.detach().unsqueeze(-2).expand(*azimuth.shape, -1), azimuth)
        turns = torch.where(self.free_front, fit.nan_to_num().sum(dim=1).argmax(dim=1), 0)
        objects = torch.arange(len(turns), device=turns.device)
        self.grid = quarter_turns(self.grid)[objects, turns]
        self.poses = torch.cat((azimuth[objects, :, turns].unsqueeze(-1), self.poses[..., 1:]), dim=-1)

    def loss(self) -> Tensor:
        """The mean loss of the known poses; a scalar, zero if the model was never asked or knows none."""
        if self.scores is None:
            return torch.zeros((), device=self.poses.device)
        known = self.poses.isfinite().all(dim=-1)
        losses = pose_loss(self.scores[known], self.poses[known])
        return losses.sum() / max(1, len(losses))
