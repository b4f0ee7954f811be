"""The visible faces of occupied cells, for files and pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NORMALS = np.array([[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]])
"""Outward normal of each side of a cell, (6, 3)."""


class VoxelFaces(NamedTuple):
    """Faces between an occupied cell and an empty one.

    Attributes:
        corners: (F, 4, 3) int64 grid corners, 0 to n, counter-clockwise seen from the empty side.
        cells: (F, 3) int64, the occupied cell [x, y, z].
        sides: (F,) int64, index of the side in :data:`NORMALS`.
    """

    corners: NDArray[np.int64]
    cells: NDArray[np.int64]
    sides: NDArray[np.int64]


def voxel_faces(occupied: NDArray[np.bool_]) -> VoxelFaces:
    """Finds the visible faces of a grid, (n, n, n) bool."""
    padded = np.pad(occupied, 1)
    corners, cells, sides = [], [], []
    for side, normal in enumerate(NORMALS):
        neighbour = np.roll(padded, tuple(-normal), axis=(0, 1, 2))[1:-1, 1:-1, 1:-1]
        cell = np.argwhere(occupied & ~neighbour)
        axis, positive = divmod(side, 2)
        u, v = np.eye(3, dtype=np.int64)[[(axis + 1) % 3, (axis + 2) % 3]]
        square = np.stack([0 * u, u, u + v, v] if positive else [0 * u, v, u + v, u])
        corners.append(cell[:, None] + np.maximum(normal, 0) + square)
        cells.append(cell)
        sides.append(np.full(len(cell), side))
    return VoxelFaces(np.concatenate(corners), np.concatenate(cells), np.concatenate(sides))
