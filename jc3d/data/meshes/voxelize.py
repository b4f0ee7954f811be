"""Solid voxels of a mesh, closed or not.

The rule (``docs/conventions.md``): a cell is occupied iff its centre is inside the solid, and no part vanishes for
being thinner than a cell.  Meshes made for looking at are seldom the closed surface that "inside" asks for: parts
overlap, undersides are open, panels are single sheets.  So:

1. *Inside* is a vote.  From a point, one ray runs along each of the six axis directions; each counts surfaces left
   minus surfaces entered, which is the winding number for a closed mesh and an estimate of it for an open one.
   Overlapping parts count once.  Four votes net of six decide: a car without an underside is solid, the space before
   a single sheet is not.
2. Space that the surface encloses is inside, whichever way its faces point.
3. Both are decided on a grid three times finer, whose every third cell shares its centre with a cell.  Surface with
   nothing inside next to it is a sheet, one fine cell thick.  Where solid that is thinner than a cell is not close to
   an occupied centre, the cell that holds most of it is occupied.
4. Cells that the occupied ones enclose are occupied: nobody sees them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jc3d.data.meshes.mesh import Mesh, components, merged_faces
from jc3d.errors import require_extra

Grid = NDArray[np.bool_]

GRID_SIZE = 32
_FINE = 3  # fine cells a side of a cell; odd, so that the middle one shares the cell's centre
_VOTES = 4  # net votes of six that make a point inside
_REACH = 2  # fine cells along each axis from an occupied centre within which a thin part counts as kept


def occupancy(mesh: Mesh, resolution: int = GRID_SIZE) -> Grid:
    """Voxelises a mesh as a solid.

    Args:
        mesh: a mesh in object coordinates, closed or open.
        resolution: cells a side, at least 1.

    Returns:
        (resolution, resolution, resolution) bool, indexed [x, y, z]; never all empty.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    if resolution < 1:
        raise ValueError(f"resolution: expected at least 1, got {resolution}")
    size = _FINE * resolution
    triangles = (_turned_outward(mesh) + 0.5) * size  # in fine cells, [0, size]
    votes = np.zeros((size, size, size), dtype=np.int8)
    surface = np.zeros((size, size, size), dtype=np.bool_)
    for axis in range(3):
        _count_crossings(triangles, axis, votes, surface)
    _mark_edges(triangles, surface)
    inside = _with_enclosed(votes >= _VOTES, surface)
    grid = _keep_thin_parts(inside, surface)
    # A gap narrower than a cell lets the outside in at the fine size, and is closed at this one.
    return _with_enclosed(grid, grid)


def _turned_outward(mesh: Mesh) -> NDArray[np.float64]:
    """Triangles of the mesh, (F, 3, 3); closed components whose faces point inward are turned inside out.

    That also fills cavities, which nobody looking from outside would see.
    """
    triangles = mesh.triangles
    faces = merged_faces(mesh)
    part = components(faces)
    count = int(part.max()) + 1
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    low, high = edges.min(axis=1), edges.max(axis=1)
    _, first, edge = np.unique(low * (int(faces.max()) + 1) + high, return_index=True, return_inverse=True)
    balance = np.bincount(edge.reshape(-1), np.where(edges[:, 0] < edges[:, 1], 1.0, -1.0) * (low != high))
    edge_part = np.tile(part, 3)[first]
    closed = np.bincount(edge_part[balance != 0], minlength=count) == 0
    volume = np.bincount(part, np.linalg.det(triangles), count)  # six times the enclosed volume
    flip = (closed & (volume < 0))[part]
    triangles[flip] = triangles[flip][:, ::-1]
    return triangles


def _ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Unrolls ranges: the number of the range and the value, for each value of each range."""
    owner = np.repeat(np.arange(len(counts)), counts)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, starts[owner] + offset


def _first_centre(position: Any, size: int) -> NDArray[np.int64]:
    """Index of the first cell whose centre is not below a position given in cells; ``size`` if there is none."""
    index: NDArray[np.int64] = np.clip(np.ceil(position - 0.5), 0, size).astype(np.int64)
    return index


def _count_crossings(triangles: NDArray[np.float64], axis: int, votes: NDArray[np.int8], surface: Grid) -> None:
    """Finds where the triangles cross the lines through the cell centres along one axis.

    Adds to ``votes`` those of the two directions of the axis and marks in ``surface`` the cells crossed.  An edge
    shared by two triangles is computed from the same two numbers in the same order for both, and intervals are half
    open, so a line never slips through a seam and never counts it twice.
    """
    size = len(votes)
    a, b, c = (triangles[:, corner][:, [(axis + 1) % 3, (axis + 2) % 3, axis]] for corner in range(3))
    # The part of the (unnormalised) face normals along the axis, and across it.
    ab, ac = b - a, c - a
    along = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    keep = np.flatnonzero(along)
    a, b, c, ab, ac, along = a[keep], b[keep], c[keep], ab[keep], ac[keep], along[keep]
    slope_u = (ab[:, 1] * ac[:, 2] - ab[:, 2] * ac[:, 1]) / along
    slope_v = (ab[:, 2] * ac[:, 0] - ab[:, 0] * ac[:, 2]) / along

    # Rows (lines of constant v) that meet each triangle, and the stretch of u inside it.
    corners = np.stack([a, b, c])
    first = _first_centre(corners[:, :, 1].min(axis=0), size)
    last = _first_centre(corners[:, :, 1].max(axis=0), size)
    face, row = _ranges(first, last - first)
    v = row + 0.5
    start, stop = np.full(len(face), np.inf), np.full(len(face), -np.inf)
    for p, q in ((a, b), (b, c), (c, a)):
        up = p[:, 1] < q[:, 1]
        lower, upper = np.where(up[:, None], p, q)[face], np.where(up[:, None], q, p)[face]
        hit = (lower[:, 1] <= v) & (v < upper[:, 1])
        rise = np.where(hit, upper[:, 1] - lower[:, 1], 1.0)
        u = lower[:, 0] + (v - lower[:, 1]) / rise * (upper[:, 0] - lower[:, 0])
        start = np.where(hit, np.minimum(start, u), start)
        stop = np.where(hit, np.maximum(stop, u), stop)

    first = _first_centre(start, size)
    span, column = _ranges(first, np.maximum(_first_centre(stop, size) - first, 0))
    face, row = face[span], row[span]
    depth = a[face, 2] - slope_u[face] * (column + 0.5 - a[face, 0]) - slope_v[face] * (row + 0.5 - a[face, 1])
    depth = np.clip(depth, corners[:, :, 2].min(axis=0)[face], corners[:, :, 2].max(axis=0)[face])
    entered = np.where(along[face] < 0, 1.0, -1.0)  # the normal points against the axis where a line enters
    line = column * size + row
    level = _first_centre(depth, size)
    tally = np.bincount(line * (size + 1) + level, entered, size * size * (size + 1))
    below = np.cumsum(tally.reshape(size, size, size + 1).astype(np.int16), axis=2)
    ballot = np.clip(below[:, :, :-1], -1, 1) + np.clip(below[:, :, :-1] - below[:, :, -1:], -1, 1)
    # The ballot is indexed [u, v, axis]; turn the views of the grids to match.
    turned = ((axis + 1) % 3, (axis + 2) % 3, axis)
    votes.transpose(turned)[...] += ballot.astype(np.int8)
    surface.transpose(turned)[column, row, np.clip(depth.astype(np.int64), 0, size - 1)] = True


def _mark_edges(triangles: NDArray[np.float64], surface: Grid) -> None:
    """Marks the cells along the edges of the triangles: slivers and needles can pass between all the lines."""
    size = len(surface)
    start = triangles.reshape(-1, 3)
    step = np.roll(triangles, -1, axis=1).reshape(-1, 3) - start
    counts = np.ceil(np.abs(step).max(axis=1) * 2).astype(np.int64) + 1  # half a fine cell apart, or less
    edge, index = _ranges(np.zeros(len(counts), dtype=np.int64), counts)
    points = start[edge] + step[edge] * (index / counts[edge])[:, None]
    cells = np.clip(points.astype(np.int64), 0, size - 1)
    surface[cells[:, 0], cells[:, 1], cells[:, 2]] = True


def _with_enclosed(inside: Grid, surface: Grid) -> Grid:
    """Adds the cells that cannot be reached from outside without passing the surface."""
    ndimage = require_extra("scipy.ndimage", "mesh")
    labels, _ = ndimage.label(np.pad(~(inside | surface), 1, constant_values=True))
    reached = (labels == labels[0, 0, 0])[1:-1, 1:-1, 1:-1]
    enclosed: Grid = ~(reached | surface)
    return inside | enclosed


def _keep_thin_parts(inside: Grid, surface: Grid) -> Grid:
    """Takes the fine grid to the coarse one: centres, and the cells that keep thin parts from vanishing."""
    sheets = surface & ~_spread(inside, 1)
    # A sheet joined to a solid regains the cells next to it, or a gap would open there.
    solid = inside | (surface & _spread(sheets, 1))
    middles = (slice(_FINE // 2, None, _FINE),) * 3
    coarse = inside[middles].copy()
    kept = np.zeros_like(solid)
    kept[middles] = coarse
    # Corners and edges of thick parts end within a fine cell of a full block; a sheet or rod goes on, and then counts
    # from where it leaves the block, or a gap would open there.
    thick = _thick(solid)
    beyond = solid & ~_spread(thick, 1)
    lost = solid & ~thick & _spread(beyond, 1) & ~_spread(kept, _REACH)
    shape = np.repeat(coarse.shape, 2)
    shape[0::2], shape[1::2] = coarse.shape, _FINE
    amount = lost.reshape(shape).sum(axis=(1, 3, 5))
    cells = np.argwhere(amount)
    order = np.argsort(-amount[tuple(cells.T)], kind="stable")
    # One cell at a time, those that hold most first: each addition may keep what the next cell would have been for.
    for x, y, z in (cells[order] * _FINE).tolist():
        if lost[x : x + _FINE, y : y + _FINE, z : z + _FINE].any():
            coarse[x // _FINE, y // _FINE, z // _FINE] = True
            reach = [slice(max(s + _FINE // 2 - _REACH, 0), s + _FINE // 2 + _REACH + 1) for s in (x, y, z)]
            lost[tuple(reach)] = False
    return coarse


def _spread(grid: Grid, reach: int) -> Grid:
    """Adds every cell that is at most ``reach`` cells away along each axis."""
    result = grid.copy()
    for axis in range(3):
        before = result.copy()
        source, target = np.moveaxis(before, axis, 0), np.moveaxis(result, axis, 0)
        for shift in range(1, reach + 1):
            target[shift:] |= source[:-shift]
            target[:-shift] |= source[shift:]
    return result


def _thick(solid: Grid) -> Grid:
    """Cells of a fine grid that are in a full block of ``_FINE`` cells a side: no such block misses every centre."""
    size = len(solid)
    blocks = solid
    for axis in range(3):
        line = np.moveaxis(blocks, axis, 0)
        full = line[: size - _FINE + 1].copy()
        for shift in range(1, _FINE):
            full &= line[shift : shift + len(full)]
        blocks = np.moveaxis(full, 0, axis)
    for axis in range(3):
        full = np.moveaxis(blocks, axis, 0)
        line = np.zeros((size, *full.shape[1:]), dtype=np.bool_)
        for shift in range(_FINE):
            line[shift : shift + len(full)] |= full
        blocks = np.moveaxis(line, 0, axis)
    return blocks
