"""The pictures of the result pages: galleries of shapes, strips of images at several rates."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from jc3d.data.categories import CATEGORIES
from jc3d.data.samples import OTHER_CATEGORY, Source
from jc3d.geometry.quarter_turns import best_turn, quarter_turns
from jc3d.infer import Codec
from jc3d.io.images import load_views, to_uint8
from jc3d.metrics import psnr, turned_ious
from jc3d.viz import picture_png, strip_png

GALLERY_WIDTH = 1800
"""Pixels."""
_GALLERY_COLUMNS = 4
_OF_EACH_CATEGORY = 2
_PHOTO_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def gallery(codec: Codec, source: Source, views: int = 5) -> bytes:
    """A PNG of two objects of every category, the first of the source: a view, the reconstruction, the truth.

    Args:
        codec: that reconstructs.
        source: of objects; cameras and lights of seed 0.
        views: of each object.
    """
    tiles = list(_tiles(codec, source, views))
    width, height = tiles[0].size
    rows = -(-len(tiles) // _GALLERY_COLUMNS)
    sheet = Image.new("RGB", (_GALLERY_COLUMNS * width, rows * height), "white")
    for position, tile in enumerate(tiles):
        sheet.paste(tile, (position % _GALLERY_COLUMNS * width, position // _GALLERY_COLUMNS * height))
    size = (GALLERY_WIDTH, round(sheet.height * GALLERY_WIDTH / sheet.width))
    return _small_png(sheet.resize(size, Image.Resampling.LANCZOS), 128)


def _tiles(codec: Codec, source: Source, views: int) -> Iterator[Image.Image]:
    shown = dict.fromkeys(range(len(CATEGORIES)), 0)
    for index in range(len(source)):
        category = int(source.get(index, 0, 1).category)
        if category == OTHER_CATEGORY or shown[category] == _OF_EACH_CATEGORY:
            continue
        shown[category] += 1
        sample = source.get(index, 0, views)
        grid = codec.reconstruct(codec.encode(sample.views.float() / 255))
        ious = turned_ious(grid, sample.grid)
        turn = int(best_turn(ious)) if sample.ambiguous_front else 0
        labels = (f"{CATEGORIES[category]}, IoU {float(ious[turn]):.2f}", "truth")
        truth = quarter_turns(sample.grid)[turn]
        yield Image.open(io.BytesIO(picture_png(grid, sample.views, truth, labels=labels))).convert("RGB")
        if min(shown.values()) == _OF_EACH_CATEGORY:
            return


def reconstruction(codec: Codec, photos: Sequence[Path]) -> bytes:
    """A PNG of the shape that the codec gives for photographs of one object."""
    return picture_png(codec.reconstruct(codec.encode(load_views(list(photos)))))


def strip(codec: Codec, views: Tensor, iterations: Sequence[int], original: bool) -> bytes:
    """A PNG of views at several rates, a row a view.

    Args:
        codec: that decodes.
        views: (V, 3, H, W) in [0, 1].
        iterations: the rates.
        original: whether the views as they are stand before them.
    """
    steps, labels = ([to_uint8(views)], ["original"]) if original else ([], [])
    codes = codec.encode(views)
    for count in iterations:
        part = codes.truncate(count)
        steps.append(to_uint8(codec.decode(part)))
        quality = float(psnr(steps[-1], to_uint8(views)).mean())
        labels.append(f"{part.ratio_payload:.0f}:1, {quality:.1f} dB")
    return _small_png(Image.open(io.BytesIO(strip_png(steps, labels))).convert("RGB"), 192)


def first_views(source: Source, indices: Sequence[int]) -> Tensor:
    """(V, 3, H, W) in [0, 1]: the first view of each of these objects, cameras and lights of seed 0."""
    return torch.cat([source.get(index, 0, 1).views for index in indices]).float() / 255


def photographs(folders: Sequence[Path]) -> list[Path]:
    """The photographs of some folders."""
    return [path for folder in folders for path in sorted(folder.iterdir()) if path.suffix in _PHOTO_SUFFIXES]


def _small_png(image: Image.Image, colours: int) -> bytes:
    file = io.BytesIO()
    image.quantize(colours).save(file, "PNG", optimize=True)
    return file.getvalue()
