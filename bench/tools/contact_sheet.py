"""Draws the contact sheet, objects of every family, each a view beside its voxels.

``python bench/tools/contact_sheet.py docs/contact-sheet.png``
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image, ImageDraw

from jc3d.data.camera_protocol import sample_cameras
from jc3d.data.categories import CATEGORIES
from jc3d.data.counter_rng import Random
from jc3d.data.procedural import make_object, occupancy, render
from jc3d.data.procedural.voxel_shape import voxel_shape
from jc3d.data.shading import Light, sample_light
from jc3d.geometry.cameras import Camera

LIGHT = Light((0.4, 0.8, 0.6), 0.45, 0.45, 0.15, 0.0)
SIZE = 96  # pixels along each side of a picture


def main(
    path: Annotated[Path, typer.Argument(help="The PNG to write.")],
    columns: Annotated[int, typer.Option(min=1, help="Objects of each category.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the first of them.")] = 1,
) -> None:
    """Write the sheet."""
    image = contact_sheet(columns, seed)
    image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)


def contact_sheet(columns: int, first_seed: int) -> Image.Image:
    """Draws a row of objects for each category: a view, and the voxels seen by the same camera."""
    rows = []
    for category in CATEGORIES:
        row = []
        for seed in range(first_seed, first_seed + columns):
            rng = Random(seed, CATEGORIES.index(category))
            shape = make_object(seed, category)
            # The front side, from varied azimuths, so that objects are easy to recognise.
            camera = Camera(rng.uniform(20.0, 60.0) * rng.choice((-1, 1)), *elevation_and_distance(rng))
            view = render([shape], [[camera]], [sample_light(rng)], SIZE)[0, 0]
            voxels = voxel_shape(occupancy(shape))
            # Seen from where the object was: distances count in diagonals of the shape drawn.
            moved = Camera(camera.azimuth, camera.elevation, camera.distance_ratio * shape.diagonal / voxels.diagonal)
            row.append(torch.cat((view, render([voxels], [[moved]], [LIGHT], SIZE)[0, 0]), dim=2))
        rows.append(torch.cat(row, dim=2))
    sheet = torch.cat(rows, dim=1).permute(1, 2, 0).contiguous()
    image = Image.fromarray(sheet.numpy())
    draw = ImageDraw.Draw(image)
    for index, category in enumerate(CATEGORIES):
        draw.text((3, index * SIZE + 2), category, fill=(0, 0, 0))
    return image


def elevation_and_distance(rng: Random) -> tuple[float, float]:
    camera = sample_cameras(rng, 1)[0]
    return camera.elevation, camera.distance_ratio


if __name__ == "__main__":
    typer.run(main)
