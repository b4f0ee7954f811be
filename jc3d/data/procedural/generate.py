"""From a seed to an object, and from an object to the views and voxels that training takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jc3d.data.cameras import Camera, sample_cameras
from jc3d.data.categories import CATEGORIES
from jc3d.data.procedural.augment import augment
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.families import FAMILIES
from jc3d.data.procedural.occupancy import occupancy
from jc3d.data.procedural.palette import sample_palette
from jc3d.data.procedural.primitives import Shape
from jc3d.data.procedural.raycast import render
from jc3d.data.random import Random
from jc3d.data.shading import sample_light

# Names of the streams of a seed; changing one changes what seeds mean.
_CATEGORY, _OBJECT, _CAMERAS, _LIGHT, _AUGMENT = range(5)


@dataclass(frozen=True, eq=False)
class Sample:
    """What one seed gives.

    Attributes:
        views: (V, 3, S, S) uint8, on white.
        occupancy: (R, R, R) bool, axes [x, y, z].
        category: one of ``CATEGORIES``.
        cameras: V cameras.
    """

    views: Tensor
    occupancy: NDArray[np.bool_]
    category: str
    cameras: list[Camera]


def make_object(seed: int, category: str | None = None) -> Shape:
    """Draws one object; the same seed and category give the same object on every machine.

    Args:
        seed: any integer; train, validation and test take disjoint ranges.
        category: one of ``CATEGORIES``; None draws one from the seed, all equally likely.

    Returns:
        A normalised shape: upright, front +Z, bounding box centred on the origin, longest side 1.

    Raises:
        ValueError: the category is unknown.
    """
    rng = Random(seed)
    if category is None:
        category = rng.split(_CATEGORY).choice(CATEGORIES)
    if category not in FAMILIES:
        raise ValueError(f"category: expected one of {', '.join(CATEGORIES)}, got {category!r}")
    draw = rng.split(_OBJECT, CATEGORIES.index(category))
    builder = Builder()
    palette = sample_palette(draw)
    FAMILIES[category](draw, builder, palette)
    return builder.shape(category, seed)


def sample(
    seed: int,
    views: int = 24,
    category: str | None = None,
    augmented: bool = False,
    image_size: int = 128,
    resolution: int = 32,
    device: torch.device | str = "cpu",
) -> Sample:
    """Draws an object, cameras and a light from one seed, renders the views and voxelises.

    Args:
        seed: any integer.
        views: number of cameras.
        category: as for :func:`make_object`.
        augmented: vary the object with :func:`augment`, for training.
        image_size: side of the views, in pixels.
        resolution: cells a side of the grid.
        device: where to render.

    Returns:
        The sample; its views are on ``device``.
    """
    rng = Random(seed)
    shape = make_object(seed, category)
    if augmented:
        shape = augment(shape, rng.split(_AUGMENT))
    cameras = sample_cameras(rng.split(_CAMERAS), views)
    light = sample_light(rng.split(_LIGHT))
    images = render([shape], [cameras], [light], image_size, device)[0]
    return Sample(images, occupancy(shape, resolution), shape.category, cameras)
