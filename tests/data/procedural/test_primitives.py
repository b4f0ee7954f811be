"""Parts: their bounds against points of their surfaces, and their matrices."""

from __future__ import annotations

import numpy as np
import pytest

from jc3d.data.procedural import CATEGORIES, Kind, Shape, make_object
from jc3d.data.procedural.primitives import compose, invert


def surface_points(shape: Shape, count: int = 4000) -> np.ndarray:
    """Points of every part's surface, drawn in part coordinates without the code under test: (P, count, 3)."""
    rng = np.random.default_rng(0)
    clouds = []
    for kind, taper in zip(shape.kind, shape.taper, strict=True):
        ball = rng.normal(size=(count, 3))
        ball /= np.linalg.norm(ball, axis=1, keepdims=True)
        cube = rng.uniform(-1, 1, (count, 3))
        if kind == Kind.ELLIPSOID:
            cloud = ball
        elif kind == Kind.BOX:
            cloud = np.sign(cube)
            cloud[:, [0, 2]] *= np.where(cloud[:, 1:2] > 0, taper[:2], 1.0)
        elif kind == Kind.FRUSTUM:
            angle = rng.uniform(0, 2 * np.pi, count)
            top = np.sign(cube[:, 1])
            radius = np.where(top > 0, taper[0], 1.0)
            cloud = np.stack((radius * np.cos(angle), top, radius * np.sin(angle)), axis=1)
        else:
            corners = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0], [0.5, 0.5, 0.5]])
            cloud = np.sign(cube) * (1 - taper * corners[rng.integers(0, 4, count)])
        clouds.append(cloud)
    return np.stack(clouds)


@pytest.mark.parametrize("category", CATEGORIES)
def test_bounds_are_tight(category: str) -> None:
    for seed in range(5):
        shape = make_object(seed, category)
        part_to_world = invert(shape.world_to_part)
        points = np.einsum("pij,pnj->pni", part_to_world[:, :, :3], surface_points(shape))
        points += part_to_world[:, None, :, 3]
        low, high = points.min((0, 1)), points.max((0, 1))
        assert (low >= shape.bounds[0] - 1e-12).all()
        assert (high <= shape.bounds[1] + 1e-12).all()
        assert low == pytest.approx(shape.bounds[0], abs=2e-3)
        assert high == pytest.approx(shape.bounds[1], abs=2e-3)


def test_compose_and_invert_agree_with_matrices() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 7, 3, 4))
    bottom = np.tile([[[0.0, 0.0, 0.0, 1.0]]], (7, 1, 1))
    full_a, full_b = np.concatenate((a, bottom), 1), np.concatenate((b, bottom), 1)
    assert compose(a, b) == pytest.approx((full_a @ full_b)[:, :3])
    assert invert(a) == pytest.approx(np.linalg.inv(full_a)[:, :3], rel=1e-9, abs=1e-9)
