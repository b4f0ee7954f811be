"""The cameras' geometry: where they stand, what they look at, which pixel sees what."""

from __future__ import annotations

import math

import pytest
import torch

from jc3d.geometry.cameras import DISTANCE_UNIT, TAN_HALF_FOV, Camera, camera_frames, camera_rays, pixel_offsets

CAMERAS = [Camera(0.0, 0.0, 1.0), Camera(90.0, 30.0, 0.65), Camera(217.0, -50.0, 0.9)]


def test_the_field_of_view_is_that_of_35_mm_on_a_32_mm_sensor() -> None:
    assert math.degrees(2 * math.atan(TAN_HALF_FOV)) == pytest.approx(49.13, abs=0.01)
    edges = pixel_offsets(128)
    half_pixel = TAN_HALF_FOV / 128
    assert edges[0].item() == pytest.approx(-TAN_HALF_FOV + half_pixel)
    assert edges[-1].item() == pytest.approx(TAN_HALF_FOV - half_pixel)


def test_positions_follow_azimuth_elevation_and_distance() -> None:
    frames = camera_frames(CAMERAS, torch.tensor([1.0, 2.0, 1.5], dtype=torch.float64))
    far = 0.65 * DISTANCE_UNIT * 2.0
    half, high = math.cos(math.radians(30)), math.sin(math.radians(30))
    assert frames.origin[0].tolist() == pytest.approx([0.0, 0.0, DISTANCE_UNIT], abs=1e-12)
    assert frames.origin[1].tolist() == pytest.approx([far * half, far * high, 0.0], abs=1e-12)
    assert frames.origin[2].norm().item() == pytest.approx(0.9 * DISTANCE_UNIT * 1.5)
    assert frames.origin[2, 1] < 0


def test_axes_are_a_right_handed_frame_that_looks_at_the_origin() -> None:
    frames = camera_frames(CAMERAS, torch.ones(3))
    axes = torch.stack((frames.right, frames.up, -frames.forward), dim=1)
    assert torch.allclose(axes @ axes.transpose(1, 2), torch.eye(3, dtype=torch.float64).expand(3, 3, 3), atol=1e-12)
    assert torch.allclose(torch.linalg.det(axes), torch.ones(3, dtype=torch.float64))
    aim = torch.linalg.cross(frames.origin, frames.forward)
    assert aim.abs().max() < 1e-12
    assert ((frames.origin * frames.forward).sum(1) < 0).all()
    assert frames.right[:, 1].abs().max() == 0  # the horizon is level
    assert (frames.up[:, 1] > 0).all()


def test_rays_are_unit_and_meet_what_the_pixel_shows() -> None:
    size = 64
    origins, directions = camera_rays(CAMERAS, torch.ones(3), size)
    assert origins.shape == (3, 3)
    assert directions.shape == (3, size, size, 3)
    assert origins.dtype == directions.dtype == torch.float32
    assert torch.allclose(directions.norm(dim=-1), torch.ones(3, size, size), atol=1e-6)
    frames = camera_frames(CAMERAS, torch.ones(3))
    for index in range(3):
        # A point up and to the right of the origin is seen by a pixel up and to the right of the centre.
        point = 0.2 * frames.right[index] + 0.1 * frames.up[index]
        depth = float(frames.origin[index].norm())
        column = (0.2 / depth / TAN_HALF_FOV + 1) * size / 2 - 0.5
        row = (1 - 0.1 / depth / TAN_HALF_FOV) * size / 2 - 0.5
        ray = directions[index, round(row), round(column)].double()
        offset = point - frames.origin[index]
        miss = torch.linalg.cross(offset, ray).norm() / depth
        assert miss < 2 * TAN_HALF_FOV / size
        assert row < size / 2 < column


def test_the_front_camera_sees_x_to_the_right_and_y_up() -> None:
    _, directions = camera_rays([Camera(0.0, 0.0, 1.0)], torch.ones(1), 8)
    assert directions[0, 0, 0, 0] < 0 < directions[0, 0, -1, 0]
    assert directions[0, 0, 0, 1] > 0 > directions[0, -1, 0, 1]
    assert (directions[..., 2] < 0).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((math.nan, 27.0, 0.8), "azimuth"),
        ((0.0, 90.0, 0.8), "elevation"),
        ((0.0, 27.0, 0.0), "distance_ratio"),
        ((0.0, 27.0, math.inf), "distance_ratio"),
    ],
)
def test_impossible_cameras_are_refused(values: tuple[float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=f"{message}: expected"):
        Camera(*values)


def test_counts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="diagonals: expected one for each of the 3 cameras, got 2"):
        camera_rays(CAMERAS, torch.ones(2))
    with pytest.raises(ValueError, match="image_size: expected at least 1, got 0"):
        camera_rays(CAMERAS, torch.ones(3), 0)
