"""Where training and test objects come from: one interface over generated, rendered and stored ones.

A source is written as text: ``procedural``, ``meshes=FOLDER``, ``shards=FOLDER`` or ``r2n2=FOLDER``, with
``@WEIGHT`` after it for its share in a mixture (1 if not given), such as ``procedural@0.5``.
"""

from __future__ import annotations

import csv
import functools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jc3d.data.categories import CATEGORIES
from jc3d.data.random import Random

if TYPE_CHECKING:
    from jc3d.data.meshes import Mesh

Split = Literal["train", "val", "test"]

_KINDS = ("procedural", "meshes", "shards", "r2n2")

OTHER_CATEGORY = -1
"""Category index of objects outside the thirteen."""

_SEEDS_OF_SPLIT: dict[Split, range] = {
    "train": range(0, 10**9),
    "val": range(10**9, 10**9 + 2_000),
    "test": range(2 * 10**9, 2 * 10**9 + 2_000),
}
"""Procedural seeds; disjoint, so no test object is ever trained on."""

_HELD_BACK = 10  # one group in so many of the training meshes validates

_CATEGORY_ALIASES = {"boat": "watercraft"}


class ObjectSample(NamedTuple):
    """One object, or a batch of them (with a leading dimension)."""

    views: Tensor  # (V, 3, 128, 128) uint8
    grid: Tensor  # (32, 32, 32) bool, axes x, y, z
    category: Tensor  # () int64, index into CATEGORIES or OTHER_CATEGORY
    free_front: Tensor  # () bool: the front direction is arbitrary, any quarter turn of the grid is right
    poses: Tensor  # (V, 3) float32: azimuth and elevation in degrees, distance in object units; NaN: not known


class Source(Protocol):
    """Objects by index; ``draw`` seeds what is random about one visit (views, lights, augmentation)."""

    def __len__(self) -> int: ...

    def get(self, index: int, draw: int, views: int) -> ObjectSample:
        """One object with ``views`` views."""
        ...


class ProceduralSource:
    """Objects of :mod:`jc3d.data.procedural`, rendered when asked for; index i is seed ``seeds[i]``.

    In training every second visit on average is of an augmented object, the others are of the object itself, which is
    what validation and test show.
    """

    def __init__(self, split: Split, augmented: bool | None = None) -> None:
        self.seeds = _SEEDS_OF_SPLIT[split]
        self.augmented = split == "train" if augmented is None else augmented

    def __len__(self) -> int:
        return len(self.seeds)

    def get(self, index: int, draw: int, views: int) -> ObjectSample:
        """Draws cameras, light and (in training) augmentation from ``draw``."""
        from jc3d.data.cameras import camera_rows, sample_cameras
        from jc3d.data.procedural import augment, make_object, occupancy, render
        from jc3d.data.shading import sample_light

        rng = Random(self.seeds[index], draw)
        shape = make_object(self.seeds[index])
        if self.augmented and rng.split(4).chance(0.5):
            shape = augment(shape, rng.split(1))
        cameras = sample_cameras(rng.split(2), views)
        images = render([shape], [cameras], [sample_light(rng.split(3))])
        poses = camera_rows(cameras, shape.diagonal)
        return _sample(images[0], occupancy(shape), CATEGORIES.index(shape.category), False, poses)


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

    def get(self, index: int, draw: int, views: int) -> ObjectSample:
        """Draws cameras, light and (in training) augmentation from ``draw``."""
        from jc3d.data.cameras import camera_rows, sample_cameras
        from jc3d.data.meshes import augment, occupancy, render
        from jc3d.data.shading import sample_light

        entry = self.entries[index]
        rng = Random(index, draw)
        mesh = _cached_mesh(entry.path)
        if self.augmented:
            mesh = augment(mesh, rng.split(1))
        cameras = sample_cameras(rng.split(2), views)
        images = render(mesh, cameras, sample_light(rng.split(3)))
        poses = camera_rows(cameras, mesh.diagonal)
        return _sample(torch.as_tensor(images), occupancy(mesh), entry.category, True, poses)


class ShardSource:
    """Objects rendered beforehand (``python -m jc3d.data.prerender``): memory-mapped."""

    def __init__(self, folder: str | Path) -> None:
        self._shards = [_Shard(path.parent) for path in sorted(Path(folder).glob("shard-*/views.npy"))]
        if not self._shards:
            raise ValueError(f"shards: expected shard-* folders in {folder}, got none")
        self._ends = np.cumsum([len(shard.grids) for shard in self._shards])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def get(self, index: int, draw: int, views: int) -> ObjectSample:
        """Draws which of the stored views are given."""
        shard_index = int(np.searchsorted(self._ends, index, side="right"))
        shard = self._shards[shard_index]
        row = index - (int(self._ends[shard_index - 1]) if shard_index else 0)
        stored = shard.views.shape[1]
        if views > stored:
            raise ValueError(f"views: expected at most {stored} (stored in {shard.folder}), got {views}")
        chosen = Random(index, draw).distinct(views, stored)
        grid = np.unpackbits(shard.grids[row]).reshape(32, 32, 32).astype(bool)
        images = torch.from_numpy(shard.views[row, chosen])
        category, free_front = shard.labels[row].tolist()
        return _sample(images, grid, category, bool(free_front), torch.from_numpy(shard.poses[row, chosen]))


class _Shard:
    def __init__(self, folder: Path) -> None:
        missing = [name for name in SHARD_ARRAYS if not (folder / name).is_file()]
        if missing:
            raise ValueError(f"shards: {folder}: {', '.join(missing)} missing, from an older version; render it again")
        self.folder = folder
        self.views = np.load(folder / "views.npy", mmap_mode="r")  # (N, V, 3, 128, 128) uint8
        self.grids = np.load(folder / "grids.npy")  # (N, 4096) uint8, eight cells a byte
        self.labels = np.load(folder / "labels.npy")  # (N, 2) int64: category, free front
        self.poses = np.load(folder / "poses.npy")  # (N, V, 3) float32

    def __reduce__(self) -> tuple[type[_Shard], tuple[Path]]:
        """Opens the files again: a mapped array would be copied whole to every process that loads data."""
        return _Shard, (self.folder,)


SHARD_ARRAYS = ("views.npy", "grids.npy", "labels.npy", "poses.npy")


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
    return "val" if int(row["shape_group"]) % _HELD_BACK == 0 else "train"


def _category_index(name: str) -> int:
    name = _CATEGORY_ALIASES.get(name, name)
    return CATEGORIES.index(name) if name in CATEGORIES else OTHER_CATEGORY


@functools.lru_cache(maxsize=512)
def _cached_mesh(path: Path) -> Mesh:
    from jc3d.data.meshes import load_mesh

    return load_mesh(path)


def _sample(views: Tensor, grid: NDArray[np.bool_], category: int, free_front: bool, poses: Tensor) -> ObjectSample:
    return ObjectSample(views, torch.as_tensor(grid), torch.tensor(category), torch.tensor(free_front), poses)


@dataclass(frozen=True)
class SourceSpec:
    """A source and its share in a mixture, parsed from text (see the module's docstring)."""

    kind: str
    folder: Path | None
    weight: float

    @classmethod
    def parse(cls, text: str) -> SourceSpec:
        """Reads ``KIND[=FOLDER][@WEIGHT]``.

        Raises:
            ValueError: it is not of that form.
        """
        # What follows the last @ is a weight if it is a number; folders may hold an @ too.
        match = re.fullmatch(r"(.*)@([-+.\deE]+)", text)
        body, weight = match.groups() if match else (text, "1")
        kind, _, folder = body.partition("=")
        if kind not in _KINDS or (kind != "procedural") != bool(folder):
            raise ValueError(f"data: expected procedural, meshes=, shards= or r2n2=FOLDER, got {text!r}")
        try:
            share = float(weight)
        except ValueError:
            share = -1.0
        if not 0 < share < math.inf:
            raise ValueError(f"data: expected a positive weight after @, got {text!r}")
        return cls(kind, Path(folder) if folder else None, share)

    def open(self, split: Split) -> Source:
        """The source itself, for one split."""
        if self.kind == "procedural":
            return ProceduralSource(split)
        assert self.folder is not None
        if self.kind == "meshes":
            return MeshSource(self.folder, split)
        if self.kind == "shards":
            return ShardSource(self.folder / split)
        from jc3d.data.r2n2_folder import R2N2Source  # it imports this module

        return R2N2Source(self.folder, split)


def stack(samples: Sequence[ObjectSample]) -> ObjectSample:
    """A batch of samples with equal numbers of views."""
    return ObjectSample(*(torch.stack(tensors) for tensors in zip(*samples, strict=True)))
