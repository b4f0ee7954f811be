"""A few objects a network can tell apart, as shards on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write(folder: Path, objects: int = 12, views: int = 5, seed: int = 0, ambiguous_fronts: bool = True) -> Path:
    """Boxes of random size whose views are flat pictures of their size; splits train and val.

    The front of every second one is ambiguous, if any.
    """
    rng = np.random.default_rng(seed)
    for split in ("train", "val"):
        shard = folder / split / "shard-0000000"
        shard.mkdir(parents=True)
        sides = rng.integers(4, 28, size=(objects, 3))
        grids = np.zeros((objects, 32, 32, 32), dtype=bool)
        images = np.full((objects, views, 3, 128, 128), 255, dtype=np.uint8)
        for i, (a, b, c) in enumerate(sides):
            grids[i, :a, :b, :c] = True
            images[i, :, 0, : 4 * a], images[i, :, 1, : 4 * b], images[i, :, 2, : 4 * c] = 0, 0, 0
        np.save(shard / "views.npy", images)
        np.save(shard / "grids.npy", np.packbits(grids.reshape(objects, -1), axis=1))
        np.save(
            shard / "labels.npy", np.stack([np.arange(objects) % 13, np.arange(objects) % 2 * ambiguous_fronts], axis=1)
        )
        poses = rng.uniform((0, 25, 1.2), (360, 30, 2.5), size=(objects, views, 3))
        np.save(shard / "poses.npy", poses.astype(np.float32))
    return folder
