"""Writes objects in the layout of 3D-R2N2, as its published archives are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from jc3d.data.camera_protocol import sample_cameras
from jc3d.data.categories import SYNSETS
from jc3d.data.counter_rng import Random
from jc3d.data.r2n2_folder import RENDERINGS, VOXELS
from jc3d.geometry.cameras import Camera
from jc3d.io.binvox import encode_binvox

CHAIR, TABLE = SYNSETS["chair"], SYNSETS["table"]


def write_folder(root: Path) -> Path:
    """Twenty chairs of three views and five tables of four: noise that :func:`object_of` gives again."""
    for number in range(20):
        write_object(root, CHAIR, f"chair{number:02d}", *object_of(number))
    for number in range(5):
        write_object(root, TABLE, f"table{number}", *object_of(100 + number, views=4))
    return root


def object_of(seed: int, views: int = 3) -> tuple[np.ndarray, list[Camera], np.ndarray]:
    """Views, cameras and grid of noise."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (views, 3, 128, 128), dtype=np.uint8)
    return images, sample_cameras(Random(seed), views), rng.random((32, 32, 32)) < 0.2


def write_object(
    root: Path, synset: str, object_id: str, views: np.ndarray, cameras: Sequence[Camera], grid: np.ndarray
) -> None:
    """Writes (V, 3, H, W) uint8 views, their cameras and the (32, 32, 32) bool grid of an object."""
    folder, voxels = root / RENDERINGS / synset / object_id / "rendering", root / VOXELS / synset / object_id
    folder.mkdir(parents=True)
    voxels.mkdir(parents=True)
    names = [f"{index:02d}.png" for index in range(len(views))]
    for name, image in zip(names, views, strict=True):
        Image.fromarray(image.transpose(1, 2, 0)).save(folder / name)
    (folder / "renderings.txt").write_text("".join(f"{name}\n" for name in names))
    rows = [f"{(90.0 - c.azimuth) % 360.0!r} {c.elevation!r} 0 {c.distance_ratio!r} 25\n" for c in cameras]
    (folder / "rendering_metadata.txt").write_text("".join(rows))
    (voxels / "model.binvox").write_bytes(encode_binvox(grid))
