"""Cameras drawn by the protocol of 3D-R2N2's renderings (Choy et al., ECCV 2016)."""

from __future__ import annotations

from jc3d.data.counter_rng import Random
from jc3d.geometry.cameras import Camera

AZIMUTHS = (0.0, 360.0)
ELEVATIONS = (25.0, 30.0)
DISTANCE_RATIOS = (0.65, 0.95)


def sample_cameras(rng: Random, count: int) -> list[Camera]:
    """Draws ``count`` cameras by the protocol of 3D-R2N2 (uniform azimuth, elevation 25-30°, ratio 0.65-0.95)."""
    return [
        Camera(rng.uniform(*AZIMUTHS), rng.uniform(*ELEVATIONS), rng.uniform(*DISTANCE_RATIOS)) for _ in range(count)
    ]
