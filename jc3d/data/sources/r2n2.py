"""Objects of a folder in the layout of 3D-R2N2."""

from __future__ import annotations

import os

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jc3d.data.categories import SYNSETS
from jc3d.data.counter_rng import Random
from jc3d.data.r2n2_folder import ObjectKey, R2N2Folder
from jc3d.data.samples import HELD_BACK, ObjectSample, Split
from jc3d.data.sources.registry import register_source
from jc3d.errors import renamed_arguments
from jc3d.geometry.cameras import camera_rows


@register_source("r2n2")
class R2N2Source:
    """Objects of a folder in the layout of 3D-R2N2, as :class:`jc3d.data.samples.Source`.

    ``test`` is 3D-R2N2's; one object in ten of its training part is held back as ``val``, the others are ``train``.

    Args:
        folder: see :class:`R2N2Folder`.
        split: ``train``, ``val`` or ``test``.

    Raises:
        ValueError: the split has no objects.
    """

    def __init__(self, folder: str | os.PathLike[str], split: Split) -> None:
        """Lists the objects of the split."""
        self.folder = R2N2Folder(folder)
        if split == "test":
            self.keys = self.folder.objects("test")
        else:
            held_back = split == "val"
            keys = enumerate(self.folder.objects("train"))
            self.keys = [key for index, key in keys if (index % HELD_BACK == HELD_BACK - 1) == held_back]
        if not self.keys:
            raise ValueError(f"r2n2: expected at least one {split} object in {folder}, got none")

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.keys)

    @renamed_arguments(seed="draw")
    def get(self, index: int, seed: int, views: int) -> ObjectSample:
        """Reads one object; ``seed`` seeds which of its views are taken, none twice.

        Raises:
            ValueError: the object has fewer views, or a file is missing or damaged.
        """
        key = self.keys[index]
        stored = len(self.folder.view_paths(key))
        if not 1 <= views <= stored:
            raise ValueError(f"views: expected 1 to {stored} (stored for {key.synset}/{key.object_id}), got {views}")
        chosen = Random(index, seed).distinct(views, stored)
        grid = self.folder.grid(key)
        category, poses = list(SYNSETS.values()).index(key.synset), self._poses(key, stored, grid)[chosen]
        return ObjectSample.of(self.folder.views(key, chosen), grid, category, False, poses)

    def _poses(self, key: ObjectKey, stored: int, grid: NDArray[np.bool_]) -> Tensor:
        """Poses of all stored views, (stored, 3); NaN where the file does not tell."""
        try:
            cameras = self.folder.cameras(key)
        except ValueError:
            cameras = []
        if len(cameras) != stored:
            return torch.full((stored, 3), torch.nan)
        # The diagonal of the object is known to a cell; its longest side is 1.
        extent = np.array([np.ptp(cells) + 1 for cells in np.nonzero(grid)]) if grid.any() else np.ones(3)
        return camera_rows(cameras, float(np.linalg.norm(extent / extent.max())))
