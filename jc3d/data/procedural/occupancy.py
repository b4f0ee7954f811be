"""Voxels of a shape: exact inside tests at the cells' centres, and parts thinner than a cell never vanish.

A cell is occupied if and only if its centre lies in some part, or in the part's *core*.  The core is what the part
becomes when each of its thin sections is widened just enough that no placement on the grid can miss it:

- a thin plate gets one layer of cells: the extent along its normal is such that every grid line along the axis nearest
  to the normal meets one centre;
- a thin rod gets an unbroken chain: its (rectangular) section is such that every grid plane across the rod's main axis
  has a centre in it;
- a crumb gets at least one cell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jc3d.data.procedural.primitives import FloatArray, Kind, Shape, contains, invert

_SAFE_WIDTH = 1.75
"""Width, in cells, from which any solid surely meets a centre (a ball does from √3 on)."""

_TIE = 1e-9
"""Cores are half open, [-h, h), less rounding: a plate that lies midway between two layers takes exactly one."""


def occupancy(shape: Shape, resolution: int = 32) -> NDArray[np.bool_]:
    """Voxelises a shape.

    Args:
        shape: normalised object.
        resolution: cells a side of the grid, which spans [-0.5, 0.5] on each axis.

    Returns:
        (resolution,)*3 bool, axes [x, y, z]; cell i is centred at (i + 0.5)/resolution - 0.5.

    Raises:
        ValueError: ``resolution`` is not positive.
    """
    if resolution < 1:
        raise ValueError(f"resolution: expected at least 1, got {resolution}")
    grid = np.zeros((resolution,) * 3, dtype=np.bool_)
    centres = (np.arange(resolution) + 0.5) / resolution - 0.5
    part_to_world = invert(shape.world_to_part)
    cores = core_half_extents(shape, resolution)
    reaches = np.maximum(1.0, shape.taper.max(axis=1))[:, None]  # beyond any solid of that taper
    reaches = np.maximum(reaches, cores)
    size = _row_sums(np.abs(part_to_world[:, :, :3]) * reaches[:, None, :])
    first = np.ceil((part_to_world[:, :, 3] - size + 0.5) * resolution - 0.5 - 1e-6).astype(np.int64)
    last = np.floor((part_to_world[:, :, 3] + size + 0.5) * resolution - 0.5 + 1e-6).astype(np.int64)
    first, last = np.maximum(first, 0), np.minimum(last + 1, resolution)
    for index in range(len(shape.kind)):
        window = tuple(slice(int(a), int(b)) for a, b in zip(first[index], last[index], strict=True))
        x, y, z = (centres[part] for part in window)
        matrix = shape.world_to_part[index]
        points = np.stack(
            [
                (row[0] * x + row[3])[:, None, None] + (row[1] * y)[None, :, None] + (row[2] * z)[None, None, :]
                for row in matrix
            ]
        )
        kind, taper = int(shape.kind[index]), shape.taper[index]
        inside = contains(kind, taper, points)
        if cores[index].any():
            inside |= _in_core(kind, taper, cores[index], points)
        grid[window] |= inside
    return grid


def core_half_extents(shape: Shape, resolution: int) -> FloatArray:
    """Half extents (P, 3), in part coordinates, that a part's thin sections need; 0 where a section is wide enough."""
    cell = 1.0 / resolution
    rows = np.abs(shape.world_to_part[:, :, :3])
    needs = np.zeros(rows.shape[:2])
    # Width of the part between the planes its unit faces lie in, at its narrower end.
    width = 2.0 / np.sqrt(_row_sums(shape.world_to_part[:, :, :3] ** 2))
    narrow = np.ones_like(width)
    tapered = (shape.kind == Kind.BOX) | (shape.kind == Kind.FRUSTUM)
    narrow[tapered, 0] = np.minimum(shape.taper[tapered, 0], 1.0)
    second = np.where(shape.kind == Kind.FRUSTUM, shape.taper[:, 0], shape.taper[:, 1])
    narrow[tapered, 2] = np.minimum(second[tapered], 1.0)
    thin = width * narrow < _SAFE_WIDTH * cell
    columns = np.abs(invert(shape.world_to_part)[:, :, :3])
    for index in np.flatnonzero(thin.any(axis=1)):
        sections = rows[index, thin[index]]  # (k, 3): what each thin coordinate gains a unit of x, y, z
        if len(sections) == 1:
            need = sections.max(axis=1)
        else:
            need = sections.sum(axis=1)
            if len(sections) == 2:
                along = int(columns[index, :, int(np.argmin(thin[index]))].argmax())
                need = need - sections[:, along]
        needs[index, thin[index]] = need * (cell / 2)
    return needs


def _in_core(kind: int, taper: FloatArray, half: FloatArray, points: FloatArray) -> NDArray[np.bool_]:
    """Tells which points lie in a part's core: within ``half`` on thin coordinates, in the solid on the others."""
    x, y, z = points
    thin = half > 0
    inside = np.ones(points.shape[1:], dtype=np.bool_)
    for axis in np.flatnonzero(thin):
        # Rounding must not admit both layers, or neither, when a centred plate's faces fall on cell centres.
        inside &= (points[axis] >= -half[axis] * (1 + _TIE)) & (points[axis] < half[axis] * (1 - _TIE))
    rise = (y + 1.0) / 2.0
    scale_x = 1.0 + (taper[0] - 1.0) * rise if kind in (Kind.BOX, Kind.FRUSTUM) else 1.0
    scale_z = 1.0 + (taper[1] - 1.0) * rise if kind == Kind.BOX else scale_x
    wide = ~thin
    if wide[1] and kind != Kind.ELLIPSOID:
        inside &= np.abs(y) <= 1.0
    if kind == Kind.ELLIPSOID:
        inside &= wide[0] * x * x + wide[1] * y * y + wide[2] * z * z <= 1.0
    elif kind == Kind.FRUSTUM and wide[0] and wide[2]:
        inside &= x * x + z * z <= scale_x * scale_x
    else:
        if wide[0]:
            inside &= np.abs(x) <= scale_x
        if wide[2]:
            inside &= np.abs(z) <= scale_z
    return inside


def _row_sums(values: FloatArray) -> FloatArray:
    total: FloatArray = values[..., 0] + values[..., 1] + values[..., 2]
    return total
