"""Cameras drawn by the protocol of 3D-R2N2."""

import math

import numpy as np
import pytest

from jc3d.data.camera_protocol import sample_cameras
from jc3d.data.counter_rng import Random


@pytest.mark.parametrize(
    ("name", "low", "high"), [("azimuth", 0.0, 360.0), ("elevation", 25.0, 30.0), ("distance_ratio", 0.65, 0.95)]
)
def test_sampled_cameras_follow_the_protocol(name: str, low: float, high: float) -> None:
    values = np.array([getattr(camera, name) for camera in sample_cameras(Random(0), 4000)])
    assert values.min() >= low
    assert values.max() <= high
    assert values.mean() == pytest.approx((low + high) / 2, abs=0.03 * (high - low))
    assert values.std() == pytest.approx((high - low) / math.sqrt(12), rel=0.05)
