"""Teaches a model that unprojects its codes where views are taken from, and places some of the views for it."""

from __future__ import annotations

import torch
from torch import Tensor

from jc3d.geometry.quarter_turns import quarter_turns
from jc3d.nn.pose_head import azimuth_log_likelihood, most_likely_pose, pose_loss


class PoseTeacher:
    """Decides for one batch where its views are placed from (:data:`jc3d.nn.PoseChoice`), and keeps what was said.

    Some objects are placed by their true poses (teacher forcing), so that the network learns to use poses while it can
    hardly tell them; the others by the likeliest poses, so that it learns to live with its own errors. An object whose
    front is arbitrary is first turned by quarters, grid and poses, to where the model thinks its front is.

    Args:
        grid: (B, 32, 32, 32) bool.
        poses: (B, V, 3); NaN where not known.
        ambiguous_front: (B,) bool.
        forced: (B,) bool: objects to place by their true poses.
    """

    def __init__(self, grid: Tensor, poses: Tensor, ambiguous_front: Tensor, forced: Tensor) -> None:
        self.grid = grid
        self.poses = poses
        self.ambiguous_front = ambiguous_front
        self.forced = forced
        self.scores: Tensor | None = None

    def __call__(self, scores: Tensor) -> Tensor:
        """Pose scores of the views (B·V, ...), object by object, to the poses (B·V, 3) to go by."""
        self.scores = scores.unflatten(0, self.poses.shape[:2])
        likeliest = most_likely_pose(self.scores.detach())
        self._turn()
        by_truth = (self.known & self.forced[:, None]).unsqueeze(-1)
        return torch.where(by_truth, self.poses, likeliest).flatten(0, 1)

    def _turn(self) -> None:
        assert self.scores is not None
        azimuth = self.poses[..., 0].unsqueeze(-1) + 90.0 * torch.arange(4, device=self.poses.device)
        fit = azimuth_log_likelihood(self.scores.detach().unsqueeze(-2).expand(*azimuth.shape, -1), azimuth)
        turns = torch.where(self.ambiguous_front, fit.nan_to_num().sum(dim=1).argmax(dim=1), 0)
        objects = torch.arange(len(turns), device=turns.device)
        self.grid = quarter_turns(self.grid)[objects, turns]
        self.poses = torch.cat((azimuth[objects, :, turns].unsqueeze(-1), self.poses[..., 1:]), dim=-1)

    def loss(self) -> Tensor:
        """The loss of the poses, a mean over all views to which those of unknown pose add nothing; a scalar.

        So it is the mean of the losses of a batch's parts, whichever process has the unknown ones.
        """
        if self.scores is None:
            return torch.zeros((), device=self.poses.device)
        known = self.known
        return pose_loss(self.scores[known], self.poses[known]).sum() / known.numel()

    @property
    def known(self) -> Tensor:
        """(B, V) bool: views whose pose is known."""
        return self.poses.isfinite().all(dim=-1)

    @property
    def free_target(self) -> Tensor:
        """(B,) bool: objects any quarter turn of whose grid is still right, as the model placed nothing of them."""
        return self.ambiguous_front if self.scores is None else self.ambiguous_front & ~self.known.any(dim=1)
