"""Triangle meshes from files, brought into the project's frame (see ``docs/conventions.md``)."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jc3d.errors import require_extra

MESH_SUFFIXES = (".obj", ".off", ".stl", ".ply", ".glb")

_MERGE = 1e-5  # vertices closer than this share of the longest side are one: files repeat them at seams


class MeshError(ValueError):
    """A mesh that cannot be read, or that has no surface."""


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh in object coordinates: Y up, bounding box centred on the origin, longest side 1.

    Build one with :func:`normalised`, which checks and establishes this.

    Attributes:
        vertices: (N, 3) float64.
        faces: (F, 3) int64 indices of vertices, counter-clockwise seen from outside where the maker took care.
        face_colors: (F, 3) float32 in [0, 1].
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    face_colors: NDArray[np.float32]

    @property
    def triangles(self) -> NDArray[np.float64]:
        """Corner positions, (F, 3, 3) float64."""
        return self.vertices[self.faces]

    @property
    def extents(self) -> NDArray[np.float64]:
        """Sides of the bounding box, (3,) float64; the longest is 1."""
        sides: NDArray[np.float64] = np.ptp(self.vertices, axis=0)
        return sides

    @property
    def diagonal(self) -> float:
        """Diagonal of the bounding box, in object coordinates."""
        return float(np.linalg.norm(self.extents))


def normalised(vertices: Any, faces: Any, face_colors: Any = 0.7, name: str = "mesh") -> Mesh:
    """Checks a mesh and brings it into object coordinates.

    Args:
        vertices: (N, 3) finite numbers, Y up, any unit; those no face uses are dropped.
        faces: (F, 3) integers in [0, N).
        face_colors: (F, 3), (3,) or scalar in [0, 1].
        name: what to call the mesh in errors.

    Raises:
        MeshError: no faces, indices out of range, numbers that are not finite, or no extent.
    """
    points = np.asarray(vertices, dtype=np.float64)
    corners = np.asarray(faces)
    if corners.ndim != 2 or corners.shape[1:] != (3,) or len(corners) == 0:
        raise MeshError(f"{name}: expected at least one triangle, got faces of shape {corners.shape}")
    if points.ndim != 2 or points.shape[1:] != (3,):
        raise MeshError(f"{name}: expected vertices of shape (N, 3), got {points.shape}")
    if not np.issubdtype(corners.dtype, np.integer) or corners.min() < 0 or corners.max() >= len(points):
        raise MeshError(f"{name}: expected integer face indices in [0, {len(points)}), got {corners.dtype} "
                        f"from {corners.min()} to {corners.max()}")  # fmt: skip
    used, corners = np.unique(corners, return_inverse=True)
    points, corners = points[used], corners.reshape(-1, 3).astype(np.int64)
    if not np.isfinite(points).all():
        raise MeshError(f"{name}: expected finite vertices, got NaN or infinity")
    low, high = points.min(axis=0), points.max(axis=0)
    # Halves first: the difference of two large floats may overflow where their halves do not.
    side = float((high / 2 - low / 2).max()) * 2.0
    if not 0.0 < side < math.inf:
        raise MeshError(f"{name}: expected a bounding box with finite sides that are not all 0, got side {side}")
    points = (points - (low / 2 + high / 2)) / side
    if not np.isfinite(points).all() or np.ptp(points, axis=0).max() < 0.5:
        raise MeshError(f"{name}: expected sides that float64 resolves, got side {side}")
    colors = np.broadcast_to(np.asarray(face_colors, dtype=np.float32), (len(corners), 3))
    return Mesh(points, corners, np.clip(colors, 0.0, 1.0))


def load_mesh(path: str | os.PathLike[str]) -> Mesh:
    """Reads a mesh file; the parts of a scene are merged, each at its place.

    Y is taken to be up and the front to be +Z, as the file has them.

    Args:
        path: an .obj, .off, .stl, .ply or .glb file.  Colours come from faces, vertices (their mean), textures (at the
            middle of the face) or the material; grey where there are none.

    Raises:
        MeshError: the file is missing, of another kind, damaged, or holds no triangles.
        MissingExtraError: trimesh is not installed.
    """
    trimesh = require_extra("trimesh", "mesh")
    file = Path(path)
    if file.suffix.lower() not in MESH_SUFFIXES:
        raise MeshError(f"{file}: expected a mesh ending in {', '.join(MESH_SUFFIXES)}, got {file.suffix!r}")
    if not file.is_file():
        raise MeshError(f"{file}: expected a mesh file, got {'a folder' if file.is_dir() else 'nothing there'}")
    try:
        scene = trimesh.load_scene(file, process=False)
        parts = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
        colors = [_face_colors(part) for part in parts]
    except Exception as error:  # trimesh's readers raise whatever the damage led to
        raise MeshError(f"{file}: expected a readable {file.suffix} mesh, got {error!r}") from error
    if not parts:
        raise MeshError(f"{file}: expected a mesh with triangles, got none")
    starts = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    return normalised(
        np.concatenate([np.asarray(part.vertices) for part in parts]),
        np.concatenate([np.asarray(part.faces) + start for part, start in zip(parts, starts, strict=True)]),
        np.concatenate(colors),
        name=str(file),
    )


def _face_colors(part: Any) -> NDArray[np.float32]:
    """Colours of a trimesh part's faces, (F, 3) float32 in [0, 1]."""
    visual, faces = part.visual, np.asarray(part.faces)
    if visual.kind == "texture" and visual.uv is not None and len(visual.uv) == len(part.vertices):
        middles = np.asarray(visual.uv)[faces].mean(axis=1)
        rgba = np.asarray(visual.material.to_color(middles))
    elif visual.kind == "texture":
        rgba = np.asarray(visual.material.main_color)
    elif visual.kind == "vertex":
        rgba = np.asarray(visual.vertex_colors)[faces].mean(axis=1)
    elif visual.kind == "face":
        rgba = np.asarray(visual.face_colors)
    else:
        rgba = np.full(3, 178)
    rgb = (rgba.reshape(-1, rgba.shape[-1])[:, :3] / 255.0).astype(np.float32)
    return np.broadcast_to(rgb, (len(faces), 3))


def merged_faces(mesh: Mesh) -> NDArray[np.int64]:
    """Faces over vertices merged by position, (F, 3) int64: files repeat the vertices along seams and creases."""
    keys = np.round(mesh.vertices / _MERGE).astype(np.int64) + round(1 / _MERGE)
    flat = (keys[:, 0] << 42) + (keys[:, 1] << 21) + keys[:, 2]
    merged = np.unique(flat, return_inverse=True)[1]
    return merged.reshape(-1)[mesh.faces].astype(np.int64)


def components(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the connected component of each face, (F,) int64 from 0; faces that share a vertex are connected."""
    sparse = require_extra("scipy.sparse", "mesh")
    graph = require_extra("scipy.sparse.csgraph", "mesh")
    rows = np.concatenate([faces[:, 0], faces[:, 1]])
    columns = np.concatenate([faces[:, 1], faces[:, 2]])
    size = int(faces.max()) + 1
    links = sparse.coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))
    labels = np.asarray(graph.connected_components(links, directed=False)[1])[faces[:, 0]]
    return np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)
