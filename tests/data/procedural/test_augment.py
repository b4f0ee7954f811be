"""Augmented objects: other shapes and colours, the same object."""

from __future__ import annotations

import numpy as np

from jc3d.data.counter_rng import Random
from jc3d.data.procedural import augment, make_object, occupancy


def test_augment_changes_the_object_but_not_its_identity() -> None:
    shape = make_object(12, "car")
    varied = [augment(shape, Random(seed)) for seed in range(30)]
    assert all(other.category == "car" and other.seed == 12 for other in varied)
    assert all(len(other.kind) <= len(shape.kind) for other in varied)
    grids = [occupancy(other) for other in varied]
    assert len({grid.tobytes() for grid in grids}) == 30
    extents = np.array([other.bounds[1] - other.bounds[0] for other in varied])
    assert sorted(extents.std(0))[1] > 0.05  # the longest side stays 1
    colours = {tuple(np.round(other.colour.mean(0), 6)) for other in varied}
    assert len(colours) > 15
    assert np.array_equal(augment(shape, Random(5)).world_to_part, varied[5].world_to_part)


def test_augment_keeps_parts_of_one_colour_alike() -> None:
    shape = make_object(3, "table")
    before = [tuple(row) for row in shape.colour.tolist()]
    for seed in range(20):
        after = augment(shape, Random(seed), strength=0.0)
        assert len(after.kind) == len(shape.kind)
        assert occupancy(after).sum() > 0
        mapping: dict[tuple[float, ...], tuple[float, ...]] = {}
        for old, new in zip(before, after.colour.tolist(), strict=True):
            assert mapping.setdefault(old, tuple(new)) == tuple(new)
