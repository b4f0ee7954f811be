"""Shards hold what their source gives, once, and one folder holds one source."""

from pathlib import Path

import pytest
import torch

from jc3d.data.counter_rng import Random
from jc3d.data.sources import SourceSpec
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.data.sources.shards import ShardSource
from jc3d.jobs import prerender as job
from jc3d.jobs.prerender import prerender, prerender_shard


def test_objects_are_those_of_the_source_in_several_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "SHARD_OBJECTS", 2)
    done: list[int] = []
    assert prerender("procedural", tmp_path, "val", count=3, views=2, workers=1, progress=done.append) == 3
    assert done == [2, 3]
    assert sorted(path.name for path in (tmp_path / "val").glob("shard-*")) == ["shard-0000000", "shard-0000002"]
    shards, source = SourceSpec.parse(f"shards={tmp_path}").open("val"), ProceduralSource("val")
    assert len(shards) == 3
    for index in range(3):
        stored, expected = shards.get(index, 0, 2), source.get(index, 0, 2)
        order = Random(index, 0).distinct(2, 2)  # in which a shard gives its views
        assert torch.equal(stored.grid, expected.grid)
        assert int(stored.category) == int(expected.category)
        assert bool(stored.ambiguous_front) == bool(expected.ambiguous_front)
        assert torch.equal(stored.poses, expected.poses[order])
        assert torch.equal(stored.views, expected.views[order])
    with pytest.raises(ValueError, match=r"manifest.json: expected .*'views': 3.* got .*'views': 2"):
        prerender("procedural", tmp_path, "val", count=3, views=3)


def test_what_is_there_stays_and_must_agree(tmp_path: Path) -> None:
    assert prerender_shard("procedural", "val", tmp_path, 0, 2, 1) == 2
    views = tmp_path / "shard-0000000" / "views.npy"
    before = views.stat().st_mtime_ns
    assert prerender_shard("procedural", "val", tmp_path, 0, 2, 1) == 0
    assert views.stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="expected 3 objects of 1 views, got 2 of 1"):
        prerender_shard("procedural", "val", tmp_path, 0, 3, 1)


def test_a_shard_of_an_older_version_is_rendered_again(tmp_path: Path) -> None:
    assert prerender_shard("procedural", "val", tmp_path, 0, 1, 1) == 1
    (tmp_path / "shard-0000000" / "poses.npy").unlink()
    assert prerender_shard("procedural", "val", tmp_path, 0, 1, 1) == 1
    assert (tmp_path / "shard-0000000" / "poses.npy").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["shard-0000000"]


def test_objects_past_the_last_are_seen_again_with_another_seed(tmp_path: Path) -> None:
    source = ProceduralSource("val")
    prerender_shard("procedural", "val", tmp_path, len(source), 1, 1)
    stored = ShardSource(tmp_path)
    assert torch.equal(stored.get(0, 0, 1).views, source.get(0, 1, 1).views)
    assert not torch.equal(stored.get(0, 0, 1).views, source.get(0, 0, 1).views)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"count": 0}, "count: expected at least 1, got 0"),
        ({"count": 1, "first": -1}, "first: expected at least 0, got -1"),
        ({"count": 1, "views": 0}, "views: expected at least 1, got 0"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, numbers: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prerender("procedural", tmp_path, **numbers)
    assert not any(tmp_path.iterdir())


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="data: expected one of"):
        prerender("objects", tmp_path, count=1)
    assert not any(tmp_path.iterdir())
