"""From an image's features to space: every point takes what the view shows in its direction."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jc3d.geometry.cameras import TAN_HALF_FOV, camera_axes


class Unproject(nn.Module):
    """Feature maps to feature volumes, (N, C, H, W) and poses (N, 3) -> (N, C + 1, S, S, S).

    A point's features are those of the pixel that shows it, read bilinearly; the last channel says how near the camera
    the point is, so that what follows can tell the points of one ray apart. Kar et al., *Learning a multi-view stereo
    machine* (2017), call it unprojection.

    Args:
        side: S, points along each side of the cube; they are the centres of the cells of an S³ grid, axes x, y, z.
    """

    points: Tensor

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        # On the CPU whatever the default device: weights are loaded into a model that is built without memory.
        axis = (torch.arange(side, device="cpu") + 0.5) / side - 0.5
        points = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).reshape(-1, 3)
        self.register_buffer("points", points, persistent=False)

    def forward(self, features: Tensor, poses: Tensor) -> Tensor:
        """Unprojects in float32, as half of a pixel is far in bfloat16."""
        with torch.autocast(features.device.type, enabled=False):
            pixels, nearness = self.project(poses.float())
            read = F.grid_sample(features.float(), pixels[:, None], padding_mode="border", align_corners=False)
            volume = torch.cat((read[:, :, 0], nearness[:, None]), dim=1)
            return volume.view(poses.shape[0], -1, self.side, self.side, self.side)

    def project(self, poses: Tensor) -> tuple[Tensor, Tensor]:
        """Where each point is seen: (N, 3) -> image coordinates (N, S³, 2), column and row in ±1, and nearness (N, S³).

        Nearness is the distance towards the camera from the object's centre, in halves of the cube's side.
        """
        axes = camera_axes(torch.deg2rad(poses[:, 0]), torch.deg2rad(poses[:, 1]))
        right, up, towards = (axis @ self.points.T for axis in axes)
        scale = (poses[:, 2:] - towards) * TAN_HALF_FOV
        return torch.stack((right / scale, -up / scale), dim=-1), 2 * towards
