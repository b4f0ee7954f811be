"""The cameras of 3D-R2N2's renderings: on a sphere about the object, looking at its centre.

A pinhole camera of 35 mm focal length on a 32 mm sensor (field of view 49.1 degrees), a square image, up is +Y.
Azimuth 0 looks at the object's front from +Z, azimuth 90 from +X.  ``distance_ratio`` is in the units of the Blender
script of 3D-R2N2, whose camera stands 1.75 times the ratio away from an object of unit diagonal.

Source: Choy et al., 3D-R2N2, ECCV 2016, and the rendering parameters published with its data set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

TAN_HALF_FOV = 16.0 / 35.0
"""Half the sensor over the focal length: the image spans ±TAN_HALF_FOV at distance 1."""

DISTANCE_UNIT = 1.75
"""Distance of the camera at ratio 1, in diagonals of the object's bounding box."""


@dataclass(frozen=True)
class Camera:
    """Where a view is taken from.

    Attributes:
        azimuth: degrees about +Y, from +Z towards +X.
        elevation: degrees above the XZ plane, strictly between -90 and 90.
        distance_ratio: distance in units of ``DISTANCE_UNIT`` diagonals.
    """

    azimuth: float
    elevation: float
    distance_ratio: float

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if not math.isfinite(self.azimuth):
            raise ValueError(f"azimuth: expected a finite number of degrees, got {self.azimuth}")
        if not -90.0 < self.elevation < 90.0:
            raise ValueError(f"elevation: expected degrees in (-90, 90), got {self.elevation}")
        if not 0.0 < self.distance_ratio < math.inf:
            raise ValueError(f"distance_ratio: expected a positive number, got {self.distance_ratio}")


class CameraFrames(NamedTuple):
    """Position and axes of N cameras in object coordinates, each (N, 3) float64; the axes have unit length."""

    origin: Tensor
    right: Tensor
    up: Tensor
    forward: Tensor


class CameraAxes(NamedTuple):
    """Unit axes of N cameras in object coordinates, each (N, 3): ``outward`` from the object to the camera."""

    right: Tensor
    up: Tensor
    outward: Tensor


def camera_axes(azimuth: Tensor, elevation: Tensor) -> CameraAxes:
    """Axes of cameras that look at the origin, (N,) radians each."""
    sin_a, cos_a, sin_e, cos_e = azimuth.sin(), azimuth.cos(), elevation.sin(), elevation.cos()
    return CameraAxes(
        right=torch.stack((cos_a, torch.zeros_like(cos_a), -sin_a), dim=1),
        up=torch.stack((-sin_e * sin_a, cos_e, -sin_e * cos_a), dim=1),
        outward=torch.stack((cos_e * sin_a, sin_e, cos_e * cos_a), dim=1),
    )


def camera_rows(cameras: Sequence[Camera], diagonal: float) -> Tensor:
    """Cameras about one object as numbers: the *poses* that a network learns to tell from its views.

    Args:
        cameras: V cameras.
        diagonal: of the object's bounding box, in object units.

    Returns:
        (V, 3) float32: azimuth in degrees, elevation in degrees, distance in object units.
    """
    unit = DISTANCE_UNIT * diagonal
    return torch.tensor([(c.azimuth, c.elevation, c.distance_ratio * unit) for c in cameras])


def camera_frames(cameras: Sequence[Camera], diagonals: Tensor) -> CameraFrames:
    """Places cameras about objects centred on the origin.

    Args:
        cameras: N cameras.
        diagonals: (N,) or scalar; diagonal of each object's bounding box, in object coordinates.

    Returns:
        Frames on the device of ``diagonals``.

    Raises:
        ValueError: the numbers of cameras and diagonals differ.
    """
    if diagonals.numel() not in (1, len(cameras)):
        raise ValueError(f"diagonals: expected one for each of the {len(cameras)} cameras, got {diagonals.numel()}")
    angles = torch.tensor([(c.azimuth, c.elevation, c.distance_ratio) for c in cameras], dtype=torch.float64)
    azimuth, elevation, ratio = angles.reshape(-1, 3).to(diagonals.device).unbind(1)
    axes = camera_axes(torch.deg2rad(azimuth), torch.deg2rad(elevation))
    distance = ratio * DISTANCE_UNIT * diagonals.reshape(-1).double()
    return CameraFrames(axes.outward * distance[:, None], axes.right, axes.up, -axes.outward)


def pixel_offsets(image_size: int, device: torch.device | str | None = None) -> Tensor:
    """Image-plane coordinate of each column's centre, left to right, at distance 1 from the camera.

    Returns:
        (image_size,) float64 within ±TAN_HALF_FOV; rows take the negatives (row 0 is the top).
    """
    if image_size < 1:
        raise ValueError(f"image_size: expected at least 1, got {image_size}")
    steps = torch.arange(image_size, dtype=torch.float64, device=device)
    return ((steps + 0.5) * 2.0 / image_size - 1.0) * TAN_HALF_FOV


def camera_rays(cameras: Sequence[Camera], diagonals: Tensor, image_size: int = 128) -> tuple[Tensor, Tensor]:
    """Gives the ray of every pixel's centre.

    Args:
        cameras: N cameras.
        diagonals: (N,) or scalar; diagonal of each object's bounding box, in object coordinates.
        image_size: height and width of the views, in pixels.

    Returns:
        ``origins`` (N, 3) float32 and ``directions`` (N, H, W, 3) float32 of unit length, in object coordinates; row
        0 is the top, column 0 the left as seen by the camera.
    """
    frames = camera_frames(cameras, diagonals)
    offsets = pixel_offsets(image_size, diagonals.device)
    directions = (
        frames.forward[:, None, None]
        + frames.right[:, None, None] * offsets[None, None, :, None]
        - frames.up[:, None, None] * offsets[None, :, None, None]
    )
    return frames.origin.float(), torch.nn.functional.normalize(directions, dim=-1).float()
