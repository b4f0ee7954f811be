"""Occupancy grids to files: numbers, voxels, meshes, pictures."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from jc3d.errors import require_extra
from jc3d.geometry.occupancy import checked_grid, occupied_cells
from jc3d.geometry.threshold import THRESHOLD
from jc3d.geometry.voxel_faces import voxel_faces
from jc3d.io.atomic import atomic_write
from jc3d.io.binvox import encode_binvox
from jc3d.viz import picture_png

MeshStyle = Literal["boxes", "surface"]


def save_occupancy(
    path: str | os.PathLike[str],
    grid: NDArray[np.generic] | Tensor,
    threshold: float = THRESHOLD,
    mesh_style: MeshStyle = "boxes",
) -> None:
    """Writes a grid in the format the path's suffix names, whole or not at all.

    - ``.npz``: arrays ``occupancy`` (as given: probabilities or bool) and ``threshold``;
    - ``.binvox``: occupied cells, spanning [-0.5, 0.5];
    - ``.ply``, ``.obj``, ``.glb``: a triangle mesh in object coordinates, by trimesh;
    - ``.png``: a drawing from two directions, by matplotlib.

    Args:
        path: the file to write.
        grid: (n, n, n) probabilities in [0, 1], or bool, indexed [x, y, z].
        threshold: a cell is occupied if its probability is strictly greater; in [0, 1).
        mesh_style: ``boxes`` for the cells' visible faces, ``surface`` for marching cubes at the threshold.

    Raises:
        ValueError: an argument is out of range, the suffix is unknown, or a mesh of no occupied cell is asked for.
        MissingExtraError: the format's extra is not installed.
        OSError: the file cannot be written.
    """
    encode = _ENCODERS[check_suffix(path)]
    if mesh_style not in get_args(MeshStyle):
        raise ValueError(f"mesh_style: expected {' or '.join(get_args(MeshStyle))}, got {mesh_style!r}")
    values = checked_grid(grid)
    occupied = occupied_cells(values, threshold)
    data = encode(_Grid(values, occupied, threshold, mesh_style))
    with atomic_write(path) as file:
        file.write(data)


def check_suffix(path: str | os.PathLike[str]) -> str:
    """The format that a path's suffix names.

    Raises:
        ValueError: none that :func:`save_occupancy` writes.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in GRID_SUFFIXES:
        raise ValueError(f"{os.fspath(path)}: expected a name ending in {', '.join(GRID_SUFFIXES)}, got {suffix!r}")
    return suffix


class _Grid(NamedTuple):
    """What an encoder is given: the arguments of :func:`save_occupancy`, checked."""

    values: NDArray[np.generic]
    occupied: NDArray[np.bool_]
    threshold: float
    mesh_style: MeshStyle


def _npz(grid: _Grid) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, occupancy=grid.values, threshold=np.float64(grid.threshold))
    return buffer.getvalue()


def _binvox(grid: _Grid) -> bytes:
    return encode_binvox(grid.occupied)


def _mesh(file_type: str, grid: _Grid) -> bytes:
    trimesh = require_extra("trimesh", "mesh")
    if not grid.occupied.any():
        raise ValueError(f"grid: expected at least one cell above {grid.threshold} to make a mesh of, got none")
    boxes = grid.mesh_style == "boxes"
    vertices, faces = box_mesh(grid.occupied) if boxes else surface_mesh(grid.values, grid.threshold)
    data = trimesh.Trimesh(vertices, faces, process=False).export(file_type=file_type)
    return data.encode() if isinstance(data, str) else bytes(data)


def _png(grid: _Grid) -> bytes:
    return picture_png(grid.values, threshold=grid.threshold)


_ENCODERS: dict[str, Callable[[_Grid], bytes]] = {
    ".npz": _npz,
    ".binvox": _binvox,
    ".ply": partial(_mesh, "ply"),
    ".obj": partial(_mesh, "obj"),
    ".glb": partial(_mesh, "glb"),
    ".png": _png,
}

GRID_SUFFIXES = tuple(_ENCODERS)
"""What :func:`save_occupancy` can write."""


def box_mesh(occupied: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The visible faces of occupied cells as triangles.

    Args:
        occupied: (n, n, n) bool.

    Returns:
        Vertices (N, 3) float64 in object coordinates and triangles (F, 3) int64, counter-clockwise seen from outside.
    """
    corners = voxel_faces(occupied).corners
    size = len(occupied)
    flat = (corners @ np.array([(size + 1) ** 2, size + 1, 1])).reshape(-1)
    used, index = np.unique(flat, return_inverse=True)
    vertices = np.stack(np.unravel_index(used, (size + 1,) * 3), axis=1) / size - 0.5
    quads = index.reshape(-1, 4)
    return vertices, quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3).astype(np.int64)


def surface_mesh(
    values: NDArray[np.generic], threshold: float = THRESHOLD
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The surface at a threshold, by marching cubes; cells outside the grid count as empty, so it is closed.

    Args:
        values: (n, n, n) probabilities or bool.
        threshold: the probability at the surface; 0.5 for bool.

    Returns:
        As :func:`box_mesh`.

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    measure = require_extra("skimage.measure", "mesh")
    # Just above the threshold, as a cell at the threshold itself is not occupied.
    level = 0.5 if values.dtype == np.bool_ else float(np.nextafter(np.float32(threshold), np.float32(1.0)))
    # Outside is a little below 0, so that a level of 0 has a surface too.
    field = np.pad(values.astype(np.float32), 1, constant_values=-1e-3)
    corners, faces, _, _ = measure.marching_cubes(field, level)
    vertices = (corners.astype(np.float64) - 0.5) / len(values) - 0.5
    return vertices, faces[:, ::-1].astype(np.int64)
