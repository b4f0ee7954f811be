"""Objects rendered beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample, Split
from jc3d.data.sources.registry import register_source
from jc3d.errors import renamed_arguments

SHARD_ARRAYS = ("views.npy", "grids.npy", "labels.npy", "poses.npy")
"""The files of a shard."""


class ShardSource:
    """Objects rendered beforehand (``jc3d prerender``): memory-mapped.

    Args:
        folder: with a folder ``shard-*`` for every so many objects.

    Raises:
        ValueError: there is none, or one of an older version.
    """

    def __init__(self, folder: str | Path) -> None:
        self._shards = [_Shard(path.parent) for path in sorted(Path(folder).glob("shard-*/views.npy"))]
        if not self._shards:
            raise ValueError(f"shards: expected shard-* folders in {folder}, got none")
        self._ends = np.cumsum([len(shard.grids) for shard in self._shards])

    def __len__(self) -> int:
        return int(self._ends[-1])

    @renamed_arguments(seed="draw")
    def get(self, index: int, seed: int, views: int) -> ObjectSample:
        """Draws which of the stored views are given from ``seed``, none twice."""
        shard_index = int(np.searchsorted(self._ends, index, side="right"))
        shard = self._shards[shard_index]
        row = index - (int(self._ends[shard_index - 1]) if shard_index else 0)
        stored = shard.views.shape[1]
        if views > stored:
            raise ValueError(f"views: expected at most {stored} (stored in {shard.folder}), got {views}")
        chosen = Random(index, seed).distinct(views, stored)
        grid = np.unpackbits(shard.grids[row]).reshape(32, 32, 32).astype(bool)
        images = torch.from_numpy(shard.views[row, chosen])
        category, ambiguous_front = shard.labels[row].tolist()
        return ObjectSample.of(
            images, grid, category, bool(ambiguous_front), torch.from_numpy(shard.poses[row, chosen])
        )


@register_source("shards")
def _shards_of_split(folder: Path, split: Split) -> ShardSource:
    """The shards of a split, which stand in a folder of its name."""
    return ShardSource(folder / split)


class _Shard:
    def __init__(self, folder: Path) -> None:
        missing = [name for name in SHARD_ARRAYS if not (folder / name).is_file()]
        if missing:
            names = ", ".join(missing)
            raise ValueError(f"shards: {folder}: expected {names}, got none: of an older version, render it again")
        self.folder = folder
        self.views = np.load(folder / "views.npy", mmap_mode="r")  # (N, V, 3, 128, 128) uint8
        self.grids = np.load(folder / "grids.npy")  # (N, 4096) uint8, eight cells a byte
        self.labels = np.load(folder / "labels.npy")  # (N, 2) int64: category, whether the front is ambiguous
        self.poses = np.load(folder / "poses.npy")  # (N, V, 3) float32

    def __reduce__(self) -> tuple[type[_Shard], tuple[Path]]:
        """Opens the files again: a mapped array would be copied whole to every process that loads data."""
        return _Shard, (self.folder,)
