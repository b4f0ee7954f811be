"""Sources: what belongs to which split, and that a sample is a function of its numbers."""

import csv
import pickle
from pathlib import Path

import numpy as np
import pytest
import tiny_shards
import torch

from jc3d.data.categories import CATEGORIES
from jc3d.data.counter_rng import Random
from jc3d.data.samples import OTHER_CATEGORY
from jc3d.data.sources.meshes import MeshSource, mesh_entries
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.data.sources.shards import ShardSource
from jc3d.data.sources.spec import SourceSpec
from jc3d.jobs.prerender import main as prerender

SPLITS = ("train", "val", "test")


def write_index(folder: Path, rows: list[tuple[str, str, str, int]]) -> None:
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "category", "split", "shape_group"))
        writer.writerows(rows)


def test_procedural_splits_share_no_seed() -> None:
    ranges = [ProceduralSource(split).seeds for split in SPLITS]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert ranges[first].stop <= ranges[second].start or ranges[second].stop <= ranges[first].start
    assert len(ranges[2]) >= 1000


def test_a_sample_is_a_function_of_its_numbers() -> None:
    source = ProceduralSource("train")
    first, again, other = source.get(3, 5, 2), source.get(3, 5, 2), source.get(3, 6, 2)
    assert torch.equal(first.views, again.views)
    assert torch.equal(first.grid, again.grid)
    assert not torch.equal(first.views, other.views)
    assert not first.ambiguous_front


def test_test_objects_are_not_augmented_and_training_objects_are() -> None:
    train, test = ProceduralSource("train"), ProceduralSource("test")
    assert not torch.equal(train.get(0, 1, 1).grid, train.get(0, 2, 1).grid)
    assert torch.equal(test.get(0, 1, 1).grid, test.get(0, 2, 1).grid)


def test_mesh_splits_follow_the_index(tmp_path: Path) -> None:
    rows = [(f"{i}.ply", "boat" if i % 2 else "bed", "dev" if i >= 30 else "train", i % 20) for i in range(40)]
    write_index(tmp_path, rows)
    files = {split: {entry.path.name for entry in mesh_entries(tmp_path, split)} for split in SPLITS}
    assert files["test"] == {f"{i}.ply" for i in range(30, 40)}
    assert files["val"] == {f"{i}.ply" for i in range(30) if i % 20 % 10 == 0}
    assert files["train"] == {f"{i}.ply" for i in range(30)} - files["val"]
    categories = {entry.path.name: entry.category for entry in mesh_entries(tmp_path, "train")}
    assert categories["1.ply"] == CATEGORIES.index("watercraft")
    assert categories["2.ply"] == OTHER_CATEGORY


def test_an_index_without_a_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("file,category,split\na.ply,chair,train\n")
    with pytest.raises(ValueError, match="expected the columns shape_group"):
        mesh_entries(tmp_path, "train")


def test_a_folder_without_index_belongs_to_every_split(tmp_path: Path) -> None:
    for name in ("b.obj", "a.PLY", "notes.txt"):
        (tmp_path / name).touch()
    for split in SPLITS:
        assert [entry.path.name for entry in mesh_entries(tmp_path, split)] == ["a.PLY", "b.obj"]


def test_no_mesh_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="meshes: expected at least one train mesh"):
        MeshSource(tmp_path, "train")


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
    with pytest.raises(ValueError, match=r"poses\.npy missing, from an older version; render it again"):
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


def test_prerendered_objects_are_those_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*more: str) -> None:
        arguments = ["prerender", "procedural", str(tmp_path), "--split", "val", "--workers", "1", *more]
        monkeypatch.setattr("sys.argv", arguments)
        prerender()

    run("--count", "3", "--views", "2")
    shards, source = SourceSpec.parse(f"shards={tmp_path}").open("val"), ProceduralSource("val")
    assert len(shards) == 3
    for index in range(3):
        expected = source.get(index, 0, 2)
        assert torch.equal(shards.get(index, 0, 2).grid, expected.grid)
        assert int(shards.get(index, 0, 2).category) == int(expected.category)
        order = Random(index, 0).distinct(2, 2)  # in which a shard gives its views
        assert torch.equal(shards.get(index, 0, 2).poses, expected.poses[order])
        assert torch.equal(shards.get(index, 0, 2).views, expected.views[order])
    before = (tmp_path / "val" / "shard-0000000" / "views.npy").stat().st_mtime_ns
    run("--count", "3", "--views", "2")
    assert (tmp_path / "val" / "shard-0000000" / "views.npy").stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="expected 4 objects of 2 views, got 3 of 2"):
        run("--count", "4", "--views", "2")
    with pytest.raises(ValueError, match=r"manifest.json: expected .*'views': 3.* got .*'views': 2"):
        run("--count", "3", "--views", "3")


@pytest.mark.parametrize(
    ("text", "kind", "folder", "weight"),
    [
        ("procedural", "procedural", None, 1),
        ("procedural@0.5", "procedural", None, 0.5),
        ("meshes=/a@b/c", "meshes", Path("/a@b/c"), 1),
        ("shards=/a@b@2", "shards", Path("/a@b"), 2),
    ],
)
def test_specs(text: str, kind: str, folder: Path | None, weight: float) -> None:
    spec = SourceSpec.parse(text)
    assert (spec.kind, spec.folder, spec.weight) == (kind, folder, weight)
