"""A drawing board for families: collects posed primitives in any units, Y up, front +Z."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from jc3d.data.procedural.primitives import FloatArray, Kind, Shape, apply, compose, normalised

Vector = tuple[float, float, float]
Colour = tuple[float, float, float]

_AXES = {"x": 0, "y": 1, "z": 2}


def rotation(axis: str, degrees: float) -> FloatArray:
    """Rotation matrix (3, 3) about a coordinate axis, right-handed."""
    # Rounded, so that machines whose sines differ in the last bit still draw the same object.
    s, c = (round(f(math.radians(degrees)) * 2.0**40) / 2.0**40 for f in (math.sin, math.cos))
    i = _AXES[axis]
    j, k = (i + 1) % 3, (i + 2) % 3
    matrix = np.zeros((3, 3))
    matrix[i, i] = 1.0
    matrix[j, j] = matrix[k, k] = c
    matrix[k, j], matrix[j, k] = s, -s
    return matrix


class Builder:
    """Collects the parts of one object.

    Sizes are full extents along x, y and z. ``along`` names the axis a taper runs along, with a minus for the other
    sense; ``taper`` scales the section at that axis' far end, as one number or two (for the other two axes, in the
    order x, y, z), and ``lean`` moves the far end by that much along those two axes. ``turn`` lists rotations (axis,
    degrees) about the part's centre, applied in order.
    """

    def __init__(self) -> None:
        """Starts with no part."""
        self._kind: list[int] = []
        self._affine: list[FloatArray] = []
        self._taper: list[tuple[float, float, float]] = []
        self._colour: list[Colour] = []

    def __len__(self) -> int:
        """Number of parts so far."""
        return len(self._kind)

    def box(
        self,
        centre: Vector,
        size: Vector,
        colour: Colour,
        along: str = "y",
        taper: float | tuple[float, float] = 1.0,
        lean: tuple[float, float] = (0.0, 0.0),
        turn: Sequence[tuple[str, float]] = (),
    ) -> None:
        """Adds a box, tapered to a pyramid frustum or wedge if asked."""
        self._add(Kind.BOX, centre, size, colour, along, taper, lean, turn)

    def bevel(
        self, centre: Vector, size: Vector, colour: Colour, cut: float = 0.4, turn: Sequence[tuple[str, float]] = ()
    ) -> None:
        """Adds a box with its edges cut, as wide along every axis; ``cut`` in (0, 1] is the share of the least side."""
        width = cut * min(size)
        x, y, z = (min(width / side, 1.0) for side in size)
        self._add(Kind.BEVEL, centre, size, colour, "y", (x, y, z), (0.0, 0.0), turn)

    def ellipsoid(self, centre: Vector, size: Vector, colour: Colour, turn: Sequence[tuple[str, float]] = ()) -> None:
        """Adds an ellipsoid with the given full axes."""
        self._add(Kind.ELLIPSOID, centre, size, colour, "y", 1.0, (0.0, 0.0), turn)

    def cylinder(
        self,
        centre: Vector,
        size: Vector,
        colour: Colour,
        along: str = "y",
        taper: float = 1.0,
        lean: tuple[float, float] = (0.0, 0.0),
        turn: Sequence[tuple[str, float]] = (),
    ) -> None:
        """Adds an (elliptic) cylinder, truncated cone or cone whose axis is ``along``."""
        self._add(Kind.FRUSTUM, centre, size, colour, along, taper, lean, turn)

    def beam(
        self,
        start: Vector,
        end: Vector,
        width: float,
        colour: Colour,
        depth: float | None = None,
        round_: bool = False,
        taper: float = 1.0,
    ) -> None:
        """Adds a bar from ``start`` to ``end``; ``width`` is horizontal, ``depth`` (default: width) across both."""
        direction = [b - a for a, b in zip(start, end, strict=True)]
        length = math.sqrt(sum(d * d for d in direction))
        if length == 0.0:
            raise ValueError(f"end: expected another point than start, got {end}")
        y = [d / length for d in direction]
        level = math.sqrt(y[0] * y[0] + y[2] * y[2])
        x = [y[2] / level, 0.0, -y[0] / level] if level > 1e-9 else [1.0, 0.0, 0.0]
        z = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]
        depth = width if depth is None else depth
        columns = ([a * width / 2 for a in x], [a * length / 2 for a in y], [a * depth / 2 for a in z])
        middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
        kind = Kind.FRUSTUM if round_ else Kind.BOX
        self._append(kind, np.array([*columns, middle], dtype=np.float64).T, (taper, taper, 1.0), colour)

    def chain(self, points: Sequence[Vector], width: float, colour: Colour, round_: bool = False) -> None:
        """Adds a bent bar through ``points``, with balls (or nothing, for square bars) at the joints."""
        for start, end in pairwise(points):
            self.beam(start, end, width, colour, round_=round_)
        if round_:
            for point in points[1:-1]:
                self.ellipsoid(point, (width, width, width), colour)

    def move(
        self, since: int, offset: Vector = (0.0, 0.0, 0.0), turn: Sequence[tuple[str, float]] = (), scale: float = 1.0
    ) -> None:
        """Scales and turns (about the origin), then moves, every part added since the builder had ``since`` parts."""
        matrix = _pose(offset, turn, scale)
        for index in range(since, len(self)):
            self._affine[index] = compose(matrix, self._affine[index])

    def copy(
        self, since: int, offset: Vector = (0.0, 0.0, 0.0), turn: Sequence[tuple[str, float]] = (), scale: float = 1.0
    ) -> None:
        """Adds a moved copy of every part added since; arguments as for :meth:`move`."""
        matrix = _pose(offset, turn, scale)
        for index in range(since, len(self)):
            self._append(
                self._kind[index], compose(matrix, self._affine[index]), self._taper[index], self._colour[index]
            )

    def mirror(self, since: int, axis: str = "x") -> None:
        """Adds the mirror image, across the plane through the origin normal to ``axis``, of every part added since."""
        matrix = np.hstack((np.eye(3), np.zeros((3, 1))))
        matrix[_AXES[axis], _AXES[axis]] = -1.0
        for index in range(since, len(self)):
            self._append(
                self._kind[index], compose(matrix, self._affine[index]), self._taper[index], self._colour[index]
            )

    def shape(self, category: str, seed: int) -> Shape:
        """Gives the normalised object.

        Raises:
            ValueError: nothing was added.
        """
        if not self._kind:
            raise ValueError("parts: expected at least one, got none")
        return normalised(
            category,
            seed,
            np.array(self._kind, dtype=np.int64),
            np.stack(self._affine),
            np.array(self._taper, dtype=np.float64),
            np.array(self._colour, dtype=np.float64),
        )

    def _add(
        self,
        kind: Kind,
        centre: Vector,
        size: Vector,
        colour: Colour,
        along: str,
        taper: float | tuple[float, ...],
        lean: tuple[float, float],
        turn: Sequence[tuple[str, float]],
    ) -> None:
        axis = _AXES[along[-1]]
        first, second = (other for other in range(3) if other != axis)
        affine = np.zeros((3, 4))
        affine[first, 0] = size[first] / 2
        affine[second, 2] = size[second] / 2
        affine[axis, 1] = size[axis] / 2
        affine[first, 1], affine[second, 1] = lean[0] / 2, lean[1] / 2
        if along[0] == "-":
            affine[axis, 1] *= -1.0
        affine[:, 3] = centre
        # The lean is about the near end: the centre moves by half of it.
        affine[first, 3] += lean[0] / 2
        affine[second, 3] += lean[1] / 2
        for about, degrees in turn:
            affine[:, :3] = np.stack([apply(rotation(about, degrees), column) for column in affine[:, :3].T], axis=1)
        x, z, rest, *_ = (*taper, 1.0) if isinstance(taper, tuple) else (taper, taper, 1.0)
        self._append(kind, affine, (x, z, rest), colour)

    def _append(self, kind: int, affine: FloatArray, taper: tuple[float, float, float], colour: Colour) -> None:
        self._kind.append(int(kind))
        self._affine.append(affine)
        self._taper.append(taper)
        self._colour.append(colour)


def _pose(offset: Vector, turn: Sequence[tuple[str, float]], scale: float) -> FloatArray:
    matrix = np.hstack((np.eye(3) * scale, np.zeros((3, 1))))
    for axis, degrees in turn:
        matrix = compose(np.hstack((rotation(axis, degrees), np.zeros((3, 1)))), matrix)
    matrix[:, 3] = offset
    return matrix
