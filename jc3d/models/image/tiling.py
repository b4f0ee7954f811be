"""Large images in tiles, each coded as an image of its own: that bounds the memory."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

TILE = 1024
"""Pixels along each side of a tile."""


class Tile(NamedTuple):
    """A rectangle of an image's code map.

    Attributes:
        rows: of the code map.
        columns: of the code map.
        block: pixels along each side of what one place of the code map stands for.
    """

    rows: slice
    columns: slice
    block: int

    def of_map(self, codes: Tensor) -> Tensor:
        """Its part of code maps (..., h, w)."""
        return codes[..., self.rows, self.columns]

    def of_image(self, image: Tensor) -> Tensor:
        """Its pixels of an image (..., H, W); where the last blocks reach over the edge, these repeat it."""
        part = self._pixels(image)
        below = (self.rows.stop - self.rows.start) * self.block - part.shape[-2]
        right = (self.columns.stop - self.columns.start) * self.block - part.shape[-1]
        return F.pad(part, (0, right, 0, below), mode="replicate")

    def place(self, image: Tensor, pixels: Tensor) -> None:
        """Writes its pixels (C, h·block, w·block) into an image (C, H, W), without what lies over the edge."""
        part = self._pixels(image)
        part.copy_(pixels[:, : part.shape[1], : part.shape[2]])

    def _pixels(self, image: Tensor) -> Tensor:
        block = self.block
        rows = slice(self.rows.start * block, self.rows.stop * block)
        return image[..., rows, self.columns.start * block : self.columns.stop * block]


def tiles(code_map: tuple[int, int], block: int) -> list[Tile]:
    """The tiles of a code map (height, width), row by row."""
    height, width = code_map
    step = TILE // block
    return [
        Tile(slice(top, min(top + step, height)), slice(left, min(left + step, width)), block)
        for top in range(0, height, step)
        for left in range(0, width, step)
    ]
