"""Draws the contact sheet: objects of every family, each a view beside its voxels.

Run ``python -m jc3d.data.procedural.contact_sheet docs/contact-sheet.png``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from jc3d.data.camera_protocol import sample_cameras
from jc3d.data.categories import CATEGORIES
from jc3d.data.counter_rng import Random
from jc3d.data.procedural.generate import make_object
from jc3d.data.procedural.occupancy import occupancy
from jc3d.data.procedural.primitives import Kind, Shape
from jc3d.data.procedural.raycast import render
from jc3d.data.shading import Light, sample_light
from jc3d.geometry.cameras import Camera

_LIGHT = Light((0.4, 0.8, 0.6), 0.45, 0.45, 0.15, 0.0)


def voxel_shape(grid: NDArray[np.bool_], colour: tuple[float, float, float] = (0.36, 0.5, 0.68)) -> Shape:
    """Makes a shape of an occupancy grid: a box for every occupied cell with a free face, to be rendered.

    Args:
        grid: (R, R, R) bool, axes [x, y, z], not empty.
        colour: RGB in [0, 1].

    Raises:
        ValueError: no cell is occupied.
    """
    if not grid.any():
        raise ValueError("grid: expected an occupied cell, got none")
    padded = np.pad(grid, 1)
    hidden = np.ones_like(grid)
    for axis in range(3):
        for step in (-1, 1):
            hidden &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    cells = np.argwhere(grid & ~hidden)
    resolution = grid.shape[0]
    matrix = np.zeros((len(cells), 3, 4))
    matrix[:, range(3), range(3)] = 2.0 * resolution
    matrix[:, :, 3] = -2.0 * resolution * ((cells + 0.5) / resolution - 0.5)
    return Shape(
        "voxels",
        0,
        np.full(len(cells), Kind.BOX, dtype=np.int64),
        matrix,
        np.ones((len(cells), 3)),
        np.tile(np.array(colour), (len(cells), 1)),
    )


def contact_sheet(columns: int = 10, first_seed: int = 1, categories: tuple[str, ...] = CATEGORIES) -> Image.Image:
    """Draws a row of objects for each category: a view, and the voxels seen by the same camera."""
    rows, size = [], 96
    for category in categories:
        row = []
        for seed in range(first_seed, first_seed + columns):
            rng = Random(seed, CATEGORIES.index(category))
            shape = make_object(seed, category)
            # The front side, from varied azimuths, so that objects are easy to recognise.
            camera = Camera(rng.uniform(20.0, 60.0) * rng.choice((-1, 1)), *_elevation_and_distance(rng))
            view = render([shape], [[camera]], [sample_light(rng)], size)[0, 0]
            voxels = voxel_shape(occupancy(shape))
            # Seen from where the object was: distances count in diagonals of the shape drawn.
            moved = Camera(camera.azimuth, camera.elevation, camera.distance_ratio * shape.diagonal / voxels.diagonal)
            row.append(torch.cat((view, render([voxels], [[moved]], [_LIGHT], size)[0, 0]), dim=2))
        rows.append(torch.cat(row, dim=2))
    sheet = torch.cat(rows, dim=1).permute(1, 2, 0).contiguous()
    image = Image.fromarray(sheet.numpy())
    draw = ImageDraw.Draw(image)
    for index, category in enumerate(categories):
        draw.text((3, index * size + 2), category, fill=(0, 0, 0))
    return image


def _elevation_and_distance(rng: Random) -> tuple[float, float]:
    camera = sample_cameras(rng, 1)[0]
    return camera.elevation, camera.distance_ratio


def main() -> None:
    """Writes the sheet to the path given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--categories", nargs="*", default=list(CATEGORIES))
    options = parser.parse_args()
    image = contact_sheet(options.columns, options.seed, tuple(options.categories))
    image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(options.path, optimize=True)


if __name__ == "__main__":
    main()
