"""Visible faces: where they are and which way they look."""

import numpy as np

from jc3d.geometry.voxel_faces import NORMALS, voxel_faces


def test_faces_of_one_cell_look_outward():
    occupied = np.zeros((3, 3, 3), dtype=bool)
    occupied[1, 1, 1] = True
    corners, cells, sides = voxel_faces(occupied)
    assert len(corners) == 6
    assert (cells == 1).all()
    for square, side in zip(corners, sides, strict=True):
        normal = np.cross(square[1] - square[0], square[2] - square[1])
        assert normal.tolist() == NORMALS[side].tolist()
        assert (square.mean(axis=0) - 1.5) @ normal == 0.5


def test_faces_at_the_border_and_between_cells():
    assert len(voxel_faces(np.ones((4, 4, 4), dtype=bool)).corners) == 6 * 16
    assert len(voxel_faces(np.zeros((4, 4, 4), dtype=bool)).corners) == 0
