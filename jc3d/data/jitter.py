"""Cheap augmentation of objects that are rendered already."""

from __future__ import annotations

import torch

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample


def jitter(sample: ObjectSample, rng: Random) -> ObjectSample:
    """One object, perhaps mirrored, and its colours moved towards or away from white.

    A mirrored object seen from mirrored cameras is each image flipped left to right, the grid flipped along X, and the
    azimuths negated. Only objects whose front is arbitrary are mirrored: of the others some point to +X (a rifle's
    muzzle), and if half of them pointed to -X, no view would tell its azimuth.

    Args:
        sample: one object; it stays as it is.
        rng: what is drawn from.
    """
    views, grid, poses = sample.views, sample.grid, sample.poses
    if sample.ambiguous_front and rng.chance(0.5):
        views, grid, poses = views.flip(-1), grid.flip(0), poses * poses.new_tensor([-1.0, 1.0, 1.0])
    brightness = rng.uniform(0.75, 1.2)
    gain = torch.tensor([brightness * rng.uniform(0.9, 1.1) for _ in range(3)]).view(3, 1, 1)
    # Distance from white is scaled, so the white background stays white.
    levels = views.float().sub_(255).mul_(gain).add_(255).round_().clamp_(0, 255)
    return sample._replace(views=levels.to(torch.uint8), grid=grid, poses=poses)
