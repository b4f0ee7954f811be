"""Shards: indexed across their borders, opened by other processes, views drawn without repeats."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import tiny_shards
import torch

from jc3d.data.sources.shards import ShardSource


def test_shards_are_indexed_across_their_borders(tmp_path: Path) -> None:
    first = tiny_shards.write(tmp_path / "a", objects=3, seed=1) / "train" / "shard-0000000"
    second = tiny_shards.write(tmp_path / "b", objects=2, seed=2) / "train" / "shard-0000000"
    second.rename(first.parent / "shard-0000003")
    source = ShardSource(first.parent)
    assert len(source) == 5
    for index, folder, row in ((0, first, 0), (2, first, 2), (3, first.parent / "shard-0000003", 0)):
        expected = np.unpackbits(np.load(folder / "grids.npy")[row]).reshape(32, 32, 32).astype(bool)
        assert np.array_equal(source.get(index, 0, 1).grid.numpy(), expected)


def test_a_mapped_shard_is_opened_again_by_another_process(tmp_path: Path) -> None:
    source = ShardSource(tiny_shards.write(tmp_path, objects=8) / "train")
    pickled = pickle.dumps(source)
    assert len(pickled) < 10_000
    assert torch.equal(pickle.loads(pickled).get(3, 1, 2).views, source.get(3, 1, 2).views)


def test_a_shard_of_an_older_version_says_so(tmp_path: Path) -> None:
    shard = tiny_shards.write(tmp_path) / "train" / "shard-0000000"
    (shard / "poses.npy").unlink()
    with pytest.raises(ValueError, match=r"expected poses\.npy, got none: of an older version, render it again"):
        ShardSource(shard.parent)


def test_a_seed_chooses_among_the_stored_views_without_repeats(tmp_path: Path) -> None:
    folder = tiny_shards.write(tmp_path, objects=1, views=6) / "train"
    stored = np.load(folder / "shard-0000000" / "views.npy")
    stored[0] = np.arange(6, dtype=np.uint8)[:, None, None, None]
    np.save(folder / "shard-0000000" / "views.npy", stored)
    source = ShardSource(folder)
    chosen = [tuple(source.get(0, seed, 4).views[:, 0, 0, 0].tolist()) for seed in range(30)]
    assert all(len(set(views)) == 4 for views in chosen)
    assert len(set(chosen)) > 20
    with pytest.raises(ValueError, match=r"views: expected at most 6 .*, got 7"):
        source.get(0, 0, 7)
