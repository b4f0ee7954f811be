"""A procedural shape as a triangle mesh, made without the code that renders and voxelises shapes."""

from __future__ import annotations

import numpy as np
import pytest

from jc3d.data.meshes import Mesh, normalised
from jc3d.data.procedural import Kind, Shape

SEGMENTS = 96


def tessellated(shape: Shape) -> Mesh:
    """One closed, outward-facing convex mesh a part; skips the test without scipy."""
    hull = pytest.importorskip("scipy.spatial").ConvexHull
    vertices, faces, colours, total = [], [], [], 0
    for kind, matrix, taper, colour in zip(shape.kind, shape.world_to_part, shape.taper, shape.colour, strict=True):
        points = _unit_points(int(kind), taper)
        points = np.linalg.solve(matrix[:, :3], (points - matrix[:, 3]).T).T
        solid = hull(points, qhull_options="QJ")
        triangles = solid.simplices.copy()
        normals = np.cross(
            points[triangles[:, 1]] - points[triangles[:, 0]], points[triangles[:, 2]] - points[triangles[:, 0]]
        )
        inward = (normals * (points[triangles[:, 0]] - points.mean(0))).sum(1) < 0
        triangles[inward] = triangles[inward][:, ::-1]
        vertices.append(points)
        faces.append(triangles + total)
        colours.append(np.tile(colour, (len(triangles), 1)))
        total += len(points)
    return normalised(np.concatenate(vertices), np.concatenate(faces), np.concatenate(colours))


def _unit_points(kind: int, taper: np.ndarray) -> np.ndarray:
    corners = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
    if kind == Kind.BOX:
        corners[:, [0, 2]] *= np.where(corners[:, 1:2] > 0, np.maximum(taper[:2], 1e-4), 1.0)
        return corners
    if kind == Kind.BEVEL:
        cuts = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0], [0.5, 0.5, 0.5]])
        return (corners[:, None] * (1 - taper * cuts)).reshape(-1, 3)
    angle = np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS
    if kind == Kind.FRUSTUM:
        ring = np.stack((np.cos(angle), np.zeros(SEGMENTS), np.sin(angle)), axis=1)
        end = max(taper[0], 1e-4)
        return np.concatenate((ring - [0, 1, 0], ring * [end, 1, end] + [0, 1, 0]))
    index = np.arange(1500) + 0.5
    height, turn = 1 - 2 * index / 1500, np.pi * (1 + 5**0.5) * index
    ring = np.sqrt(1 - height**2)
    return np.stack((ring * np.cos(turn), height, ring * np.sin(turn)), axis=1)
