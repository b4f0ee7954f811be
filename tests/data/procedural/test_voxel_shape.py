"""Grids drawn as shapes."""

from __future__ import annotations

import numpy as np
import pytest

from jc3d.data.procedural import make_object, occupancy
from jc3d.data.procedural.voxel_shape import voxel_shape


def test_voxel_shape_draws_the_grid_it_was_given() -> None:
    grid = occupancy(make_object(2, "car"))
    again = occupancy(voxel_shape(grid))
    assert not (again & ~grid).any()
    # Only hidden cells are left out.
    hidden = grid & ~again
    for axis in range(3):
        for step in (-1, 1):
            assert np.roll(grid, step, axis)[hidden].all()
    with pytest.raises(ValueError, match="grid: expected an occupied cell"):
        voxel_shape(np.zeros((4, 4, 4), dtype=bool))
