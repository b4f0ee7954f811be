"""Objects as unions of affinely mapped unit solids: the generator, the voxeliser and the ray caster share them.

Every part is a unit solid in coordinates (x, y, z) of its own, mapped into the object by an affine map; ``t`` is the
part's row of ``taper``:

=========  ==================================================================================================
kind       unit solid
=========  ==================================================================================================
BOX        abs(y) ≤ 1, abs(x) ≤ s(y; t0), abs(z) ≤ s(y; t1): a box, or a pyramid frustum, wedge or roof
ELLIPSOID  x² + y² + z² ≤ 1
FRUSTUM    abs(y) ≤ 1, x² + z² ≤ s(y; t0)²: a cylinder, cone or truncated cone
BEVEL      u + v ≥ 1, v + w ≥ 1, w + u ≥ 1 and all ≥ 0, for u = (1 - abs(x))/t0, v = (1 - abs(y))/t1 and
           w = (1 - abs(z))/t2: a box with its edges cut, by t (0 < t ≤ 1) of the half extent along each axis
=========  ==================================================================================================

with s(y; t) = 1 + (t - 1)(y + 1)/2, the section's scale: 1 at y = -1 and t at y = 1.

All of this is float64 and elementwise (no BLAS, no LAPACK), so that results are equal on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Kind(IntEnum):
    """Which unit solid a part is; see the module's table."""

    BOX = 0
    ELLIPSOID = 1
    FRUSTUM = 2
    BEVEL = 3


_SIGNS = np.array(list(product((-1.0, 1.0), repeat=3)))  # (8, 3) corners of the unit cube


@dataclass(frozen=True, eq=False)
class Shape:
    """One object: P convex parts whose union it is, in object coordinates (Y up, front +Z).

    Attributes:
        category: its family, one of ``CATEGORIES``.
        seed: what it was made from.
        kind: (P,) int64, values of :class:`Kind`.
        world_to_part: (P, 3, 4) float64; part coordinates are ``M[:, :3] @ p + M[:, 3]``.
        taper: (P, 3) float64, not negative; see the module's table.
        colour: (P, 3) float64 in [0, 1].
    """

    category: str
    seed: int
    kind: IntArray
    world_to_part: FloatArray
    taper: FloatArray
    colour: FloatArray

    @cached_property
    def bounds(self) -> FloatArray:
        """(2, 3) lowest and highest corner of the axis-aligned bounding box, exact for every kind of part."""
        return bounds(self.kind, invert(self.world_to_part), self.taper)

    @cached_property
    def diagonal(self) -> float:
        """Length of the bounding box's diagonal."""
        size = self.bounds[1] - self.bounds[0]
        return float(np.sqrt(size[0] * size[0] + size[1] * size[1] + size[2] * size[2]))


def invert(affine: FloatArray) -> FloatArray:
    """Inverts affine maps (P, 3, 4), by cofactors."""
    a, b, c = affine[:, :, 0], affine[:, :, 1], affine[:, :, 2]
    rows = np.stack((_cross(b, c), _cross(c, a), _cross(a, b)), axis=1)
    rows = rows / _dot(a, rows[:, 0])[:, None, None]
    return np.concatenate((rows, -apply(rows, affine[:, :, 3])[:, :, None]), axis=2)


def compose(outer: FloatArray, inner: FloatArray) -> FloatArray:
    """Gives the affine maps ``outer(inner(.))``; (…, 3, 4) each, broadcast."""
    columns = [apply(outer[..., :3], inner[..., column]) for column in range(4)]
    columns[3] = columns[3] + outer[..., 3]
    return np.stack(columns, axis=-1)


def apply(linear: FloatArray, vector: FloatArray) -> FloatArray:
    """Multiplies (…, 3, 3) by (…, 3), summing in a fixed order."""
    x, y, z = (vector[..., axis, None] for axis in range(3))
    return linear[..., 0] * x + linear[..., 1] * y + linear[..., 2] * z


def _dot(u: FloatArray, v: FloatArray) -> FloatArray:
    total: FloatArray = u[..., 0] * v[..., 0] + u[..., 1] * v[..., 1] + u[..., 2] * v[..., 2]
    return total


def _cross(u: FloatArray, v: FloatArray) -> FloatArray:
    return np.stack([u[..., i - 2] * v[..., i - 1] - u[..., i - 1] * v[..., i - 2] for i in range(3)], axis=-1)


def unit_corners(kind: IntArray, taper: FloatArray) -> FloatArray:
    """Corners of a tapered box about each unit solid: (P, 8, 3).

    They span the solid itself for BOX, and contain it for the other kinds.
    """
    corners = np.broadcast_to(_SIGNS, (len(kind), 8, 3)).copy()
    tapered = (kind == Kind.BOX) | (kind == Kind.FRUSTUM)
    ends = np.where(tapered[:, None], taper[:, :2], 1.0)
    ends[kind == Kind.FRUSTUM, 1] = ends[kind == Kind.FRUSTUM, 0]
    top = corners[:, :, 1] > 0
    corners[:, :, 0] *= np.where(top, ends[:, None, 0], 1.0)
    corners[:, :, 2] *= np.where(top, ends[:, None, 1], 1.0)
    return corners


def bounds(kind: IntArray, part_to_world: FloatArray, taper: FloatArray) -> FloatArray:
    """Bounding box (2, 3) of a union of parts, from each solid's support along the axes."""
    centre, linear = part_to_world[:, :, 3], part_to_world[:, :, :3]
    size = np.abs(linear)
    reach = np.empty_like(centre)
    middle = centre.copy()

    box = kind == Kind.BOX
    ball = kind == Kind.ELLIPSOID
    reach[ball] = np.sqrt(_dot(linear[ball], linear[ball]))
    # Corners of a bevelled box, signs aside: (1, 1 - t1, 1 - t2), two more like it, and (1 - t/2).
    bevel = kind == Kind.BEVEL
    cuts = ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0), (0.5, 0.5, 0.5))
    reach[bevel] = np.max([apply(size[bevel], 1.0 - taper[bevel] * np.array(cut)) for cut in cuts], axis=0)
    # The two ends of a tapered solid reach s(±1) times its section about centres ± the y axis.
    section_x = np.where(box[:, None], size[:, :, 0], np.sqrt(linear[:, :, 0] ** 2 + linear[:, :, 2] ** 2))
    section_z = np.where(box[:, None], size[:, :, 2], 0.0)
    ends = box | (kind == Kind.FRUSTUM)
    bottom = section_x + section_z
    top = section_x * taper[:, :1] + section_z * taper[:, 1:2]
    axis = linear[:, :, 1]
    high = np.maximum(bottom - axis, top + axis)
    low = np.minimum(-bottom - axis, -top + axis)
    reach[ends] = (high - low)[ends] / 2
    middle[ends] += (high + low)[ends] / 2
    return np.stack(((middle - reach).min(axis=0), (middle + reach).max(axis=0)))


def normalised(
    category: str, seed: int, kind: IntArray, part_to_world: FloatArray, taper: FloatArray, colour: FloatArray
) -> Shape:
    """Makes a shape of parts in any units: bounding box centred on the origin, its longest side 1."""
    low, high = bounds(kind, part_to_world, taper)
    unit = part_to_world.copy()
    unit[:, :, 3] -= (low + high) / 2
    unit /= (high - low).max()
    return Shape(category, seed, kind, invert(unit), taper, colour)


def contains(kind: int, taper: FloatArray, points: FloatArray) -> NDArray[np.bool_]:
    """Tells which points lie in a unit solid (its surface included).

    Args:
        kind: value of :class:`Kind`.
        taper: (3,) float64.
        points: (3, …) float64, part coordinates.

    Returns:
        Booleans of the points' trailing shape.
    """
    x, y, z = points
    if kind == Kind.ELLIPSOID:
        inside: NDArray[np.bool_] = x * x + y * y + z * z <= 1.0
        return inside
    if kind == Kind.BEVEL:
        u, v, w = ((1.0 - np.abs(axis)) / cut for axis, cut in zip((x, y, z), taper, strict=True))
        inside = (np.minimum(np.minimum(u, v), w) >= 0.0) & (u + v >= 1.0) & (v + w >= 1.0) & (w + u >= 1.0)
        return inside
    rise = (y + 1.0) / 2.0
    scale = 1.0 + (taper[0] - 1.0) * rise
    inside = np.abs(y) <= 1.0
    if kind == Kind.FRUSTUM:
        inside &= x * x + z * z <= scale * scale
    else:
        inside &= (np.abs(x) <= scale) & (np.abs(z) <= 1.0 + (taper[1] - 1.0) * rise)
    return inside
