"""One lighting model for every renderer of the project, so that procedural and mesh views look alike.

Light comes from four places: the sky (``ambient``, a little stronger from above), a distant lamp (``diffuse``), the
camera itself (``fill``) and the lamp's mirror image (``specular``).  No shadows are cast, as in the renderings of
3D-R2N2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import torch
from torch import Tensor

from jc3d.data.counter_rng import Random

BACKGROUND = 1.0
"""Value of every channel where no object is seen."""


@dataclass(frozen=True)
class Light:
    """The lighting of an object.

    Attributes:
        direction: towards the distant lamp, object coordinates; any length but zero.
        ambient: light from everywhere.
        diffuse: light from the lamp at perpendicular incidence.
        fill: light from the camera at perpendicular incidence.
        specular: strength of the lamp's highlight, added to the colour.
    """

    direction: tuple[float, float, float]
    ambient: float
    diffuse: float
    fill: float
    specular: float


def sample_light(rng: Random) -> Light:
    """Draws a light: from above at any azimuth, from flat to contrasty, from matt to glossy."""
    azimuth, height = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(0.25, 0.95)
    radius = math.sqrt(1.0 - height * height)
    ambient = rng.uniform(0.38, 0.65)
    diffuse = rng.uniform(0.25, 0.85)
    fill = rng.uniform(0.0, 0.35)
    # All of it at once on a white surface: beyond 1 the surface would be as white as the background, edges and all.
    exposure = min(1.0, rng.uniform(0.9, 1.1) / (ambient + diffuse + fill))
    ambient, diffuse, fill = ambient * exposure, diffuse * exposure, fill * exposure
    specular = rng.uniform(0.0, 0.3) if rng.chance(0.4) else 0.0
    return Light((radius * math.sin(azimuth), height, radius * math.cos(azimuth)), ambient, diffuse, fill, specular)


def light_rows(lights: Sequence[Light], device: torch.device | str | None = None) -> Tensor:
    """Packs lights for :func:`shade`.

    Returns:
        (N, 7) float32: unit direction, ambient, diffuse, fill, specular.

    Raises:
        ValueError: a direction is zero or not finite.
    """
    rows = []
    for light in lights:
        length = math.hypot(*light.direction)
        if not 0.0 < length < math.inf:
            raise ValueError(f"direction: expected a finite vector that is not zero, got {light.direction}")
        rows.append((*(axis / length for axis in light.direction), *astuple(light)[1:]))
    return torch.tensor(rows, dtype=torch.float32, device=device).reshape(-1, 7)


def shade(normals: Tensor, albedo: Tensor, to_camera: Tensor, rows: Tensor) -> Tensor:
    """Colours surface points.

    Every value depends on its own row alone, so a point looks the same in any batch.

    Args:
        normals: (M, 3) float32, unit length, turned to the side the camera sees.
        albedo: (M, 3) float32 in [0, 1], the surface's own colour.
        to_camera: (M, 3) float32, unit length, from the point to the camera.
        rows: (M, 7) or (1, 7) float32 from :func:`light_rows`, the light of each point or of all.

    Returns:
        (M, 3) float32 in [0, 1].
    """
    nx, ny, nz = normals.unbind(1)
    vx, vy, vz = to_camera.unbind(1)
    lx, ly, lz, ambient, diffuse, fill, specular = rows.unbind(1)
    facing_lamp = (nx * lx + ny * ly + nz * lz).clamp(min=0.0)
    facing_camera = (nx * vx + ny * vy + nz * vz).clamp(min=0.0)
    received = ambient * (0.85 + 0.15 * ny) + diffuse * facing_lamp + fill * facing_camera
    # The lamp's mirror direction, raised to the 16th power by squaring (exact in any vector width, unlike pow).
    mirror = (2.0 * facing_lamp * (nx * vx + ny * vy + nz * vz) - (lx * vx + ly * vy + lz * vz)).clamp(min=0.0)
    for _ in range(4):
        mirror = mirror * mirror
    gloss = specular * mirror * (facing_lamp > 0)
    return (albedo * received[:, None] + gloss[:, None]).clamp(0.0, 1.0)
