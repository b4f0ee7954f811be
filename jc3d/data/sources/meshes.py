"""Meshes of a folder, rendered when asked for."""

from __future__ import annotations

import csv
import functools
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from jc3d.data.categories import CATEGORIES
from jc3d.data.counter_rng import Random
from jc3d.data.samples import HELD_BACK, OTHER_CATEGORY, ObjectSample, Split
from jc3d.data.sources.registry import register_source
from jc3d.errors import renamed_arguments

if TYPE_CHECKING:
    from jc3d.data.meshes import Mesh

_CATEGORY_ALIASES = {"boat": "watercraft"}


@register_source("meshes")
class MeshSource:
    """Meshes of a folder, rendered when asked for.

    An ``index.csv`` with the columns ``file``, ``category``, ``split`` and ``shape_group`` is followed where there is
    one: ``train`` rows train (one group in ten is held back: split ``val``), all others test. Without it every mesh of
    the folder belongs to every split.
    """

    def __init__(self, folder: str | Path, split: Split, augmented: bool | None = None) -> None:
        self.augmented = split == "train" if augmented is None else augmented
        self.entries = mesh_entries(Path(folder), split)
        if not self.entries:
            raise ValueError(f"meshes: expected at least one {split} mesh in {folder}, got none")

    def __len__(self) -> int:
        return len(self.entries)

    @renamed_arguments(seed="draw")
    def get(self, index: int, seed: int, views: int) -> ObjectSample:
        """Draws cameras, light and (in training) augmentation from ``seed``."""
        from jc3d.data.camera_protocol import sample_cameras
        from jc3d.data.meshes import augment, occupancy, render
        from jc3d.data.shading import sample_light
        from jc3d.geometry.cameras import camera_rows

        entry = self.entries[index]
        rng = Random(index, seed)
        mesh = _cached_mesh(entry.path)
        if self.augmented:
            mesh = augment(mesh, rng.split(1))
        cameras = sample_cameras(rng.split(2), views)
        images = render(mesh, cameras, sample_light(rng.split(3)))
        poses = camera_rows(cameras, mesh.diagonal)
        return ObjectSample.of(torch.as_tensor(images), occupancy(mesh), entry.category, True, poses)


class MeshEntry(NamedTuple):
    """A mesh file and its category (index into CATEGORIES, or OTHER_CATEGORY)."""

    path: Path
    category: int


def mesh_entries(folder: Path, split: Split) -> list[MeshEntry]:
    """The meshes of a folder that belong to a split, see :class:`MeshSource`."""
    index = folder / "index.csv"
    if not index.is_file():
        from jc3d.data.meshes import MESH_SUFFIXES

        files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in MESH_SUFFIXES]
        return [MeshEntry(path, OTHER_CATEGORY) for path in files]
    with index.open(newline="") as file:
        reader = csv.DictReader(file)
        missing = {"file", "category", "split", "shape_group"} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(
                f"meshes: {index}: expected the columns {', '.join(sorted(missing))}, got none of that name"
            )
        rows = [row for row in reader if _split_of(row) == split]
    return [MeshEntry(folder / row["file"], _category_index(row["category"])) for row in rows]


def _split_of(row: dict[str, str]) -> Split:
    if row["split"] != "train":
        return "test"
    # Near-duplicates share a group and must not straddle training and validation.
    return "val" if int(row["shape_group"]) % HELD_BACK == 0 else "train"


def _category_index(name: str) -> int:
    name = _CATEGORY_ALIASES.get(name, name)
    return CATEGORIES.index(name) if name in CATEGORIES else OTHER_CATEGORY


@functools.lru_cache(maxsize=512)
def _cached_mesh(path: Path) -> Mesh:
    from jc3d.data.meshes import load_mesh

    return load_mesh(path)
