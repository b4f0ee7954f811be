"""An occupancy grid as a shape, so that the ray caster draws it as it draws objects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jc3d.data.procedural.primitives import Kind, Shape


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
