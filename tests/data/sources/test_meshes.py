"""Folders of meshes: which file belongs to which split."""

import csv
from pathlib import Path

import pytest

from jc3d.data.categories import CATEGORIES
from jc3d.data.samples import OTHER_CATEGORY
from jc3d.data.sources.meshes import MeshSource, mesh_entries

SPLITS = ("train", "val", "test")


def write_index(folder: Path, rows: list[tuple[str, str, str, int]]) -> None:
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "category", "split", "shape_group"))
        writer.writerows(rows)


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
