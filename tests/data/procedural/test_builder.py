"""The builder: parts stand where its arguments say."""

from __future__ import annotations

import numpy as np
import pytest

from jc3d.data.procedural import Kind
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.primitives import bounds


def test_builder_poses_parts_as_documented() -> None:
    builder = Builder()
    builder.box((1, 2, 3), (2, 4, 6), (0, 0, 0))
    since = len(builder)
    builder.box((1, 0, 0), (0.5, 0.5, 0.5), (1, 1, 1))
    builder.mirror(since)
    builder.copy(since, (0, 10, 0), [("y", 90.0)])
    centres = [affine[:, 3].tolist() for affine in builder._affine]
    assert centres[:3] == [[1, 2, 3], [1, 0, 0], [-1, 0, 0]]
    # A quarter turn about +Y takes +X to -Z.
    assert centres[3] == pytest.approx([0, 10, -1])
    assert centres[4] == pytest.approx([0, 10, 1])
    low, high = bounds(np.array([Kind.BOX]), builder._affine[0][None], np.ones((1, 3)))
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == [2, 4, 6]


@pytest.mark.parametrize(("along", "axis", "far"), [("x", 0, True), ("-x", 0, False), ("z", 2, True), ("-y", 1, False)])
def test_a_taper_and_its_lean_belong_to_the_far_end(along: str, axis: int, far: bool) -> None:
    builder = Builder()
    builder.box((0, 0, 0), (2, 2, 2), (0, 0, 0), along=along, taper=0.5, lean=(4.0, 0.0))
    corners = np.array(
        [
            builder._affine[0][:, :3] @ [x * s, y, z * s] + builder._affine[0][:, 3]
            for x in (-1, 1) for y, s in ((-1, 1.0), (1, 0.5)) for z in (-1, 1)
        ]
    )  # fmt: skip
    first = next(other for other in range(3) if other != axis)
    end = corners[corners[:, axis] > 0] if far else corners[corners[:, axis] < 0]
    other_end = corners[corners[:, axis] < 0] if far else corners[corners[:, axis] > 0]
    assert np.ptp(end[:, first]) == pytest.approx(1.0)
    assert end[:, first].mean() == pytest.approx(4.0)
    assert np.ptp(other_end[:, first]) == pytest.approx(2.0)
    assert other_end[:, first].mean() == pytest.approx(0.0)


def test_a_beam_joins_its_ends() -> None:
    start, end = (0.1, -0.2, 0.3), (1.0, 2.0, -0.5)
    builder = Builder()
    builder.beam(start, end, 0.2, (0, 0, 0), depth=0.4)
    affine = builder._affine[0]
    assert affine @ [0, -1, 0, 1] == pytest.approx(start)
    assert affine @ [0, 1, 0, 1] == pytest.approx(end)
    assert affine[:, :3].T @ affine[:, :3] == pytest.approx(
        np.diag(np.square([0.1, np.linalg.norm(affine[:, 1]), 0.2]))
    )
    assert affine[1, 0] == 0  # its width is horizontal
    with pytest.raises(ValueError, match="end: expected another point"):
        builder.beam(start, start, 0.1, (0, 0, 0))


def test_an_empty_builder_is_refused() -> None:
    with pytest.raises(ValueError, match="parts: expected at least one"):
        Builder().shape("test", 0)
