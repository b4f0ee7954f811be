"""The folder layout of 3D-R2N2: renderings and 32³ voxels of ShapeNet objects.

```
ROOT/ShapeNetRendering/<synset>/<id>/rendering/00.png ... 23.png, renderings.txt, rendering_metadata.txt
ROOT/ShapeNetVox32/<synset>/<id>/model.binvox
```

The split is 3D-R2N2's: the ids of a category in sorted order, the first 80 % train, the others test.
``renderings.txt`` names the images; a line of ``rendering_metadata.txt`` is azimuth, elevation, in-plane rotation,
distance ratio and a constant 25 for each (not the field of view, whatever some readers call it). Its azimuth counts
from +X towards +Z; :class:`~jc3d.geometry.cameras.Camera` counts from +Z towards +X, so each is 90° less the other.

Source: Choy et al., 3D-R2N2, ECCV 2016, section 5, and the published archives' file names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from jc3d.data.categories import SYNSETS
from jc3d.errors import ImageError
from jc3d.geometry.cameras import Camera
from jc3d.io.binvox import read_binvox
from jc3d.io.images import load_view, load_views, to_uint8

RENDERINGS, VOXELS = "ShapeNetRendering", "ShapeNetVox32"

_TRAIN_SHARE = 0.8


class ObjectKey(NamedTuple):
    """Where an object stands in the layout."""

    synset: str
    object_id: str


class R2N2Folder:
    """A folder in the layout of 3D-R2N2.

    Args:
        root: the folder that holds ``ShapeNetRendering`` and ``ShapeNetVox32``.

    Raises:
        ValueError: it holds no renderings.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Looks that the folder is one; reads nothing yet."""
        self.root = Path(root)
        if not (self.root / RENDERINGS).is_dir():
            raise ValueError(
                f"{self.root}: expected a folder that holds {RENDERINGS} and {VOXELS}, got no {RENDERINGS}"
            )

    def objects(self, split: Literal["train", "test", "all"] = "all") -> list[ObjectKey]:
        """The objects of the thirteen categories, category by category, ids sorted."""
        keys = []
        for synset in SYNSETS.values():
            ids = _subfolders(self.root / RENDERINGS / synset)
            cut = int(len(ids) * _TRAIN_SHARE)
            chosen = {"train": ids[:cut], "test": ids[cut:], "all": ids}[split]
            keys += [ObjectKey(synset, object_id) for object_id in chosen]
        return keys

    def view_paths(self, key: ObjectKey) -> list[Path]:
        """The images of an object, in the order of ``renderings.txt`` (of their names, where that is missing)."""
        folder = self.root / RENDERINGS / key.synset / key.object_id / "rendering"
        listing = folder / "renderings.txt"
        if not listing.is_file():
            return sorted(folder.glob("*.png"))
        names = listing.read_text().split()
        if any(Path(name).name != name for name in names):
            raise ValueError(f"{listing}: expected file names without folders, got {names}")
        return [folder / name for name in names]

    def voxel_path(self, key: ObjectKey) -> Path:
        """The .binvox file of an object."""
        return self.root / VOXELS / key.synset / key.object_id / "model.binvox"

    def views(self, key: ObjectKey, indices: Sequence[int] | None = None) -> Tensor:
        """Reads views of an object.

        Args:
            key: the object.
            indices: which of its views, in this order; all if None.

        Returns:
            (V, 3, 128, 128) uint8, by the rule of :mod:`jc3d.io.images`.

        Raises:
            ImageError: an image is missing or damaged.
        """
        paths = self.view_paths(key)
        return to_uint8(load_views(paths if indices is None else [paths[index] for index in indices]))

    def grid(self, key: ObjectKey) -> NDArray[np.bool_]:
        """Reads the voxels of an object, (32, 32, 32) bool indexed [x, y, z].

        Raises:
            ValueError: the file is missing, damaged, or of another size.
        """
        path = self.voxel_path(key)
        if not path.is_file():
            raise ValueError(f"{path}: expected a .binvox file, got nothing there")
        grid = read_binvox(path).grid
        if grid.shape != (32, 32, 32):
            raise ValueError(f"{path}: expected 32^3 cells, got {grid.shape}")
        return grid

    def cameras(self, key: ObjectKey) -> list[Camera]:
        """Reads the cameras of an object's views.

        Raises:
            ValueError: ``rendering_metadata.txt`` is missing or not five numbers a line.
        """
        path = self.root / RENDERINGS / key.synset / key.object_id / "rendering" / "rendering_metadata.txt"
        try:
            rows = [[float(word) for word in line.split()] for line in path.read_text().splitlines() if line.strip()]
        except (OSError, ValueError) as error:
            raise ValueError(f"{path}: expected a readable table of numbers, got {error}") from error
        if any(len(row) != 5 for row in rows):
            raise ValueError(f"{path}: expected five numbers a line, got {sorted({len(row) for row in rows})}")
        return [Camera((90.0 - azimuth) % 360.0, elevation, ratio) for azimuth, elevation, _, ratio, _ in rows]

    def check(self, decode: bool = False, progress: Callable[[int], object] = lambda done: None) -> list[str]:
        """Says what is missing or damaged, one line each; an empty list is a whole folder.

        Every voxel file is read; images are looked for, and decoded only where asked.

        Args:
            decode: decode every image as well.
            progress: called with the number of objects looked at so far.
        """
        problems = []
        for category, synset in SYNSETS.items():
            rendered = set(_subfolders(self.root / RENDERINGS / synset))
            voxelised = set(_subfolders(self.root / VOXELS / synset))
            if not rendered and not voxelised:
                problems.append(f"{synset} ({category}): no objects")
            problems += [f"{VOXELS}/{synset}/{name}: no renderings of it" for name in sorted(voxelised - rendered)]
        for done, key in enumerate(self.objects(), start=1):
            problems += self._problems_of(key, decode)
            progress(done)
        return problems

    def _problems_of(self, key: ObjectKey, decode: bool) -> list[str]:
        place = f"{RENDERINGS}/{key.synset}/{key.object_id}/rendering"
        files = ("renderings.txt", "rendering_metadata.txt")
        problems = [f"{place}/{name}: missing" for name in files if not (self.root / place / name).is_file()]
        try:
            paths = self.view_paths(key)
            problems += [f"{place}/{path.name}: missing" for path in paths if not path.is_file()]
            if not paths:
                problems.append(f"{place}: no images")
            if decode:
                problems += [problem for path in paths if path.is_file() and (problem := _damage(path))]
            if (self.root / place / files[1]).is_file() and len(self.cameras(key)) != len(paths):
                problems.append(f"{place}/{files[1]}: not one line an image")
            self.grid(key)
        except (OSError, ValueError) as error:
            problems.append(str(error))
        return problems


def _damage(path: Path) -> str | None:
    """What is wrong with an image, or None."""
    try:
        load_view(path)
    except ImageError as error:
        return str(error)
    return None


def _subfolders(folder: Path) -> list[str]:
    """Names of the folders in a folder, sorted; none if it is not there."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
