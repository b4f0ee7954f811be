"""What ``jc3d demo`` looks at: the carried object, images, or meshes rendered on the fly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from jc3d.data.categories import CATEGORIES
from jc3d.data.counter_rng import Random
from jc3d.data.meshes import MESH_SUFFIXES
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.errors import ImageError
from jc3d.io.images import load_views

_CARRIED_OBJECT = 25  # a chair of the procedural test split, which no packaged model was trained on
_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


class Subject(NamedTuple):
    """One object: its views and, where it is known, its shape."""

    name: str
    views: Tensor  # (V, 3, 128, 128) float32 in [0, 1]
    truth: Tensor | None  # (32, 32, 32) bool


class Inputs(NamedTuple):
    """The files to look at; both empty for the carried object."""

    images: list[Path]  # the views of one object
    meshes: list[Path]  # an object each

    @property
    def num_subjects(self) -> int:
        """How many objects that makes."""
        return len(self.meshes) + bool(self.images) or 1


def find_inputs(paths: Sequence[Path]) -> Inputs:
    """Sorts paths into images and meshes; of a folder, those of its files that are one of them.

    Raises:
        ImageError: a folder without images and meshes.
    """
    images: list[Path] = []
    meshes: list[Path] = []
    for path in paths:
        found = [path]
        if path.is_dir():
            found = sorted(f for f in path.iterdir() if f.suffix.lower() in (*MESH_SUFFIXES, *_IMAGE_SUFFIXES))
            if not found:
                raise ImageError(f"{path}: expected images or meshes in the folder, got none")
        for file in found:
            (meshes if file.suffix.lower() in MESH_SUFFIXES else images).append(file)
    return Inputs(images, meshes)


def subjects(inputs: Inputs, views: int, seed: int) -> Iterator[Subject]:
    """Loads or renders one object after another.

    Args:
        inputs: from `find_inputs`.
        views: how many to render of an object that is not given as images.
        seed: draws cameras and lights.
    """
    if inputs.images:
        yield Subject(inputs.images[0].resolve().parent.name, load_views(inputs.images), None)
    for path in inputs.meshes:
        yield _of_mesh(path, views, seed)
    if not inputs.images and not inputs.meshes:
        sample = ProceduralSource("test").get(_CARRIED_OBJECT, seed, views)
        yield Subject(CATEGORIES[int(sample.category)], sample.views.float() / 255, sample.grid)


def _of_mesh(path: Path, views: int, seed: int) -> Subject:
    from jc3d.data.camera_protocol import sample_cameras
    from jc3d.data.meshes import load_mesh, occupancy, render
    from jc3d.data.shading import sample_light

    mesh = load_mesh(path)
    rng = Random(seed)
    images = torch.from_numpy(render(mesh, sample_cameras(rng.split(0), views), sample_light(rng.split(1))))
    return Subject(path.stem, images.float() / 255, torch.from_numpy(occupancy(mesh)))
