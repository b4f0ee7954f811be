"""Objects that are augmented after rendering."""

import torch

from jc3d.data.counter_rng import Random
from jc3d.data.jitter import jitter
from jc3d.data.samples import ObjectSample


def test_jitter_mirrors_views_grid_and_poses_together_and_keeps_white() -> None:
    views = torch.full((2, 3, 8, 8), 255, dtype=torch.uint8)
    views[..., 2:5, 1] = 100
    grid = torch.zeros(4, 4, 4, dtype=torch.bool)
    grid[0, 1, 2] = True
    poses = torch.tensor([[30.0, 27.0, 1.5], [200.0, 26.0, 2.0]])
    seen = set()
    for seed in range(20):
        out = jitter(ObjectSample(views, grid, torch.tensor(0), torch.tensor(True), poses), Random(seed))
        mirrored = bool(out.grid[3, 1, 2])
        seen.add(mirrored)
        assert out.grid.sum() == 1
        assert out.poses.tolist() == ([[-30, 27, 1.5], [-200, 26, 2]] if mirrored else poses.tolist())
        column = 6 if mirrored else 1
        assert (out.views[..., 2:5, column] < 200).all()
        rest = out.views.clone()
        rest[..., 2:5, column] = 255
        assert (rest == 255).all()
    assert seen == {True, False}


def test_jitter_mirrors_nothing_that_has_a_front() -> None:
    views = torch.full((2, 3, 8, 8), 100, dtype=torch.uint8)
    grid = torch.zeros(4, 4, 4, dtype=torch.bool)
    grid[0, 1, 2] = True
    sample = ObjectSample(views, grid, torch.tensor(0), torch.tensor(False), torch.tensor([[30.0, 27.0, 1.5]] * 2))
    for seed in range(20):
        out = jitter(sample, Random(seed))
        assert torch.equal(out.grid, grid)
        assert torch.equal(out.poses, sample.poses)
