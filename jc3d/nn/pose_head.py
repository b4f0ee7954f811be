"""What a receiver can tell of where a view was taken from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

AZIMUTH_BINS = 48
_BIN = 360.0 / AZIMUTH_BINS  # degrees
_NEIGHBOURS = 2  # bins on either side of the best one that share in its azimuth
# Elevation in degrees and log-distance are told as differences from the middle of the protocol, in these units. These
# numbers are part of what trained weights mean: with others, old codes become other shapes.
_ELEVATION, _ELEVATION_UNIT = 27.5, 2.0
_LOG_DISTANCE, _LOG_DISTANCE_UNIT = 0.5, 0.25
# No view is placed further from the protocol than this: nearer, parts of the cube would lie behind the camera.
_ELEVATIONS = (0.0, 60.0)
_DISTANCES = (1.0, 4.0)


class PoseHead(nn.Module):
    """Scores of a view's pose, (N, features) -> (N, AZIMUTH_BINS + 2): azimuth bins, elevation, distance.

    The azimuth is a distribution over bins, because objects have symmetries: of a square table seen from somewhere
    four azimuths are equally right, and their mean is wrong. A *pose* is azimuth and elevation in degrees and distance
    in object units, see :func:`jc3d.geometry.cameras.camera_rows`.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, AZIMUTH_BINS + 2)

    def forward(self, x: Tensor) -> Tensor:
        """Scores, float32."""
        scores: Tensor = self.linear(x).float()
        return scores


def most_likely_pose(scores: Tensor) -> Tensor:
    """The pose to go by, (..., AZIMUTH_BINS + 2) -> (..., 3): the mean azimuth about the likeliest bin."""
    prob = scores[..., :AZIMUTH_BINS].softmax(dim=-1)
    best = prob.argmax(dim=-1, keepdim=True)
    steps = torch.arange(-_NEIGHBOURS, _NEIGHBOURS + 1, device=scores.device)
    near = prob.gather(-1, (best + steps) % AZIMUTH_BINS)
    azimuth = (best[..., 0] + (near * steps).sum(dim=-1) / near.sum(dim=-1)) * _BIN
    elevation = (_ELEVATION + _ELEVATION_UNIT * scores[..., AZIMUTH_BINS]).clamp(*_ELEVATIONS)
    distance = torch.exp(_LOG_DISTANCE + _LOG_DISTANCE_UNIT * scores[..., AZIMUTH_BINS + 1]).clamp(*_DISTANCES)
    return torch.stack((azimuth, elevation, distance), dim=-1)


def azimuth_log_likelihood(scores: Tensor, azimuth: Tensor) -> Tensor:
    """Log-likelihood of azimuths, (..., AZIMUTH_BINS + 2) and (...) degrees -> (...): the two nearest bins share it."""
    position = azimuth.remainder(360.0) / _BIN
    low = position.floor()
    share = position - low
    low = low.long() % AZIMUTH_BINS
    bins = torch.stack((low, (low + 1) % AZIMUTH_BINS), dim=-1)
    log_prob = scores[..., :AZIMUTH_BINS].log_softmax(dim=-1).gather(-1, bins)
    return log_prob[..., 0] * (1 - share) + log_prob[..., 1] * share


def elevation_distance_scores(poses: Tensor) -> Tensor:
    """What the last two scores of poses are to be, (..., 3) -> (..., 2): elevation and log-distance in their units."""
    elevation = (poses[..., 1] - _ELEVATION) / _ELEVATION_UNIT
    distance = (poses[..., 2].log() - _LOG_DISTANCE) / _LOG_DISTANCE_UNIT
    return torch.stack((elevation, distance), dim=-1)
