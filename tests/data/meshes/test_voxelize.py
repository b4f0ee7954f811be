import os
from pathlib import Path

import numpy as np
import pytest

from jc3d.data.meshes import Mesh, load_mesh, normalised, occupancy
from jc3d.io.binvox import encode_binvox, read_binvox

trimesh = pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
pytest.importorskip("scipy", reason="extra `mesh` is not installed")

CENTRES = (np.arange(32) + 0.5) / 32 - 0.5


def box(low, high):
    part = trimesh.creation.box(np.subtract(high, low))
    part.apply_translation(np.add(low, high) / 2)
    return part


def as_mesh(*parts) -> Mesh:
    whole = trimesh.util.concatenate(list(parts))
    return normalised(whole.vertices, whole.faces)


def without(part, normal):
    """The part less the faces that point along ``normal``."""
    keep = part.face_normals @ np.asarray(normal, dtype=float) < 0.5
    return trimesh.Trimesh(part.vertices, part.faces[keep], process=False)


def cells_of(*boxes):
    """Cells whose centres lie in one of the boxes, each (low, high)."""
    grid = np.zeros((32, 32, 32), dtype=bool)
    for low, high in boxes:
        x, y, z = (np.abs(CENTRES - (a + b) / 2) < (b - a) / 2 for a, b in zip(low, high, strict=True))
        grid |= x[:, None, None] & y[None, :, None] & z[None, None, :]
    return grid


def test_box_fills_the_grid():
    assert occupancy(as_mesh(box((0, 0, 0), (1, 1, 1)))).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [-1, 1])
def test_axes_and_signs(axis: int, sign: int):
    """A bump on one side only is found on that side of the grid: [x, y, z], low index at the low coordinate."""
    low, high = np.full(3, -0.5), np.full(3, 0.5)
    low[axis], high[axis] = (-0.5, 0.1) if sign > 0 else (-0.1, 0.5)
    bump_low, bump_high = np.full(3, -0.12), np.full(3, 0.12)
    bump_low[axis], bump_high[axis] = (0.0, 0.5) if sign > 0 else (-0.5, 0.0)
    grid = occupancy(as_mesh(box(low, high), box(bump_low, bump_high)))
    assert np.array_equal(grid, cells_of((low, high), (bump_low, bump_high)))
    ends = np.moveaxis(grid, axis, 0)[[0, -1]].sum(axis=(1, 2))
    assert (ends[1] < ends[0]) == (sign > 0)


def test_mesh_and_binvox_and_procedural_twin_agree():
    """Three ways to one grid; no face falls on a cell's centre, where the sides may differ."""
    builder = pytest.importorskip("jc3d.data.procedural.builder", reason="the procedural generator is absent")
    from jc3d.data.procedural.occupancy import occupancy as procedural_occupancy

    boxes = [((-0.5, -0.1, -0.33), (0.5, 0.02, 0.33))]
    boxes += [((x, -0.5, z), (x + 0.1, -0.05, z + 0.09)) for x in (-0.47, 0.37) for z in (-0.3, 0.21)]
    board = builder.Builder()
    for low, high in boxes:
        centre, size = np.add(low, high) / 2, np.subtract(high, low)
        board.box(tuple(centre), tuple(size), (0.5, 0.5, 0.5))
    tall = trimesh.creation.cylinder(radius=0.21, height=0.48, sections=720)  # along z; the grid's y is up
    tall.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
    tall.apply_translation([0.07, 0.26, 0.03])
    board.cylinder((0.07, 0.26, 0.03), (0.42, 0.48, 0.42), (0.5, 0.5, 0.5))
    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.13)
    ball.apply_translation([-0.31, 0.13, -0.05])
    board.ellipsoid((-0.31, 0.13, -0.05), (0.26, 0.26, 0.26), (0.5, 0.5, 0.5))
    mesh = as_mesh(*(box(*each) for each in boxes), tall, ball)
    grid = occupancy(mesh)
    assert 2000 < grid.sum() < 12000
    assert np.array_equal(grid, procedural_occupancy(board.shape("table", 0)))
    assert np.array_equal(grid, read_binvox(encode_binvox(grid)).grid)


def test_turned_solid_matches_exact_inside_test():
    part = box((-0.5, -0.2, -0.3), (0.5, 0.2, 0.3))
    turn = trimesh.transformations.euler_matrix(0.4, 0.7, 0.2)
    part.apply_transform(turn)
    mesh = normalised(part.vertices, part.faces)
    side = np.ptp(part.vertices, axis=0).max()
    points = np.stack(np.meshgrid(CENTRES, CENTRES, CENTRES, indexing="ij"), axis=-1) * side
    local = np.abs(points @ turn[:3, :3])
    assert np.array_equal(occupancy(mesh), (local < [0.5, 0.2, 0.3]).all(axis=-1))


def test_overlapping_parts_are_one_solid():
    parts = [((-0.5, -0.3, -0.3), (0.2, 0.3, 0.3)), ((-0.2, -0.2, -0.2), (0.5, 0.2, 0.2))]
    assert np.array_equal(occupancy(as_mesh(*(box(*part) for part in parts))), cells_of(*parts))


@pytest.mark.parametrize("normal", [(0, -1, 0), (1, 0, 0), (0, 0, -1)])
def test_box_with_an_open_side_is_solid(normal):
    part = box((-0.5, -0.3, -0.4), (0.5, 0.3, 0.4))
    assert np.array_equal(occupancy(as_mesh(without(part, normal))), cells_of(((-0.5, -0.3, -0.4), (0.5, 0.3, 0.4))))


def test_faces_turned_inward_do_not_matter():
    part = box((-0.5, -0.3, -0.4), (0.5, 0.3, 0.4))
    part.invert()
    assert np.array_equal(occupancy(as_mesh(part)), cells_of(((-0.5, -0.3, -0.4), (0.5, 0.3, 0.4))))


def test_both_sided_faces_and_cavities_are_filled():
    part, hole = box((-0.5, -0.3, -0.4), (0.5, 0.3, 0.4)), box((-0.4, -0.2, -0.3), (0.4, 0.2, 0.3))
    solid = cells_of(((-0.5, -0.3, -0.4), (0.5, 0.3, 0.4)))
    hole.invert()
    assert np.array_equal(occupancy(as_mesh(part, hole)), solid)
    # Each face twice, once each way round: no winding at all, but an inside that nothing outside can reach.
    twice = np.concatenate([part.faces, part.faces[:, ::-1]])
    both = occupancy(normalised(part.vertices, twice))
    assert both[2:-2, 9:-9, 5:-5].all()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("offset", [0.0, 0.003, 0.0101, 0.0156, 0.02, 0.0279])
@pytest.mark.parametrize("thickness", [0.0, 0.001, 0.01, 0.02, 0.03])
def test_thin_panel_is_one_whole_layer(axis: int, offset: float, thickness: float):
    """A panel on a frame, at any offset to the cells: one layer, without holes."""
    low, high = np.full(3, -0.5), np.full(3, 0.5)
    low[axis], high[axis] = offset, offset + thickness
    post_low, post_high = np.full(3, -0.5), np.full(3, -0.4)  # gives the object its full height along the axis
    post_high[axis] = 0.5
    grid = occupancy(as_mesh(box(low, high), box(post_low, post_high)))
    away = np.moveaxis(grid, axis, 0)[:, 5:, 5:]
    assert (away.sum(axis=0) == 1).all()


@pytest.mark.parametrize("radius", [0.001, 0.005, 0.012])
@pytest.mark.parametrize("offset", [0.0, 0.004, 0.011, 0.0156])
def test_thin_rod_is_an_unbroken_chain(radius: float, offset: float):
    """The pole of a lamp between its foot and its shade: one or a few cells at every height, none missing."""
    pole = box((offset - radius, -0.4, offset - radius), (offset + radius, 0.4, offset + radius))
    foot, shade = box((-0.2, -0.5, -0.2), (0.2, -0.4, 0.2)), box((-0.2, 0.4, -0.2), (0.2, 0.5, 0.2))
    grid = occupancy(as_mesh(foot, pole, shade))
    cells = grid.sum(axis=(0, 2))
    assert (cells >= 1).all()
    assert (cells[5:-5] <= 2).all()


def test_slanted_sheet_has_no_holes():
    """A tilted single sheet separates the sides: no straight line along the steep axis passes through it."""
    corners = [[-0.5, -0.2, -0.5], [0.5, 0.2, -0.5], [0.5, 0.2, 0.5], [-0.5, -0.2, 0.5]]
    grid = occupancy(normalised(corners, [[0, 1, 2], [0, 2, 3]]))
    heights = grid.sum(axis=1)
    assert (heights >= 1).all()
    assert heights.mean() < 1.7


def test_thick_parts_gain_nothing():
    """Rule 1 alone decides where nothing is thin: corners and round sides are not fattened."""
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    grid = occupancy(normalised(ball.vertices, ball.faces))
    distance = np.sqrt((CENTRES[:, None, None] ** 2) + (CENTRES[None, :, None] ** 2) + CENTRES[None, None, :] ** 2)
    assert not (grid & (distance > 0.5)).any()
    assert grid[distance < 0.49].all()


def test_single_triangle_and_needle_do_not_vanish():
    assert occupancy(normalised([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])).any()
    needle = normalised([[0, 0, 0], [1, 1, 1], [1, 1, 1.0001]], [[0, 1, 2]])
    chain = occupancy(needle)
    assert 30 <= chain.sum() <= 64
    assert chain.any(axis=(1, 2)).all()


def test_mirror_and_turns_commute_with_voxelising():
    """An object of thick parts off the cells' centres: turning the mesh turns the grid."""
    parts = [((-0.5, -0.41, -0.33), (0.5, -0.2, 0.33)), ((-0.43, -0.3, -0.31), (-0.2, 0.5, 0.21))]
    mesh = as_mesh(*(box(*part) for part in parts))
    grid = occupancy(mesh)
    turned = normalised(np.stack([mesh.vertices[:, 2], mesh.vertices[:, 1], -mesh.vertices[:, 0]], axis=1), mesh.faces)
    assert np.array_equal(occupancy(turned), np.rot90(grid, axes=(2, 0)))
    mirrored = normalised(mesh.vertices * [-1, 1, 1], mesh.faces)  # faces now point inward: closed, so it is noticed
    assert np.array_equal(occupancy(mirrored), grid[::-1])


@pytest.mark.parametrize("resolution", [1, 2, 16, 33, 64])
def test_other_resolutions(resolution: int):
    grid = occupancy(as_mesh(box((0, 0, 0), (1, 0.5, 1))), resolution)
    assert grid.shape == (resolution,) * 3
    assert grid.mean() == pytest.approx(0.5, abs=0.5 / resolution) or resolution == 1
    assert grid.any()


def test_resolution_below_one_is_refused():
    with pytest.raises(ValueError, match="resolution: expected at least 1, got 0"):
        occupancy(as_mesh(box((0, 0, 0), (1, 1, 1))), 0)


@pytest.mark.skipif("JC3D_DATA" not in os.environ, reason="JC3D_DATA does not name the folder of real inputs")
def test_real_meshes_are_solid_and_whole():
    """No hidden hollow, and the surface is never far from an occupied cell."""
    from scipy import ndimage

    paths = sorted((Path(os.environ["JC3D_DATA"]) / "meshes").glob("*.ply"))[::25]
    assert paths
    for path in paths:
        mesh = load_mesh(path)
        grid = occupancy(mesh)
        hollow = ndimage.binary_fill_holes(grid) & ~grid
        assert hollow.sum() <= 0.01 * grid.sum() + 8, path
        away = ndimage.distance_transform_edt(np.pad(~grid, 1))
        middles = np.clip(((mesh.triangles.mean(axis=1) + 0.5) * 32).astype(int), 0, 31) + 1
        assert (away[tuple(middles.T)] <= 2.0).all(), path
