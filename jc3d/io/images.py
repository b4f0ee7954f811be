"""Views from files, images, arrays or tensors: the one way pictures enter a model.

The rule:

- transparency is composited on white, grey becomes RGB, the first frame counts, a camera's orientation tag is obeyed;
- 8 bits are divided by 255, 16 bits by 65535 (grey files and arrays; of colour files Pillow keeps the upper 8 bits),
  floats must lie in [0, 1];
- an image that is not square is padded with white to a centred square (the odd pixel goes right or below);
- a square of another size than the model's is resized by antialiased bicubic interpolation and clipped to [0, 1];
  one of more than sixteen times the size is first averaged over blocks of whole pixels;
- an image of the model's size therefore reaches the model unchanged, as value / 255;
- where no size is asked for, as by the image codecs, an image keeps its own.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from jc3d.errors import ImageError
from jc3d.io.limits import MAX_PIXELS

ViewLike = str | os.PathLike[str] | Image.Image | NDArray[np.generic] | Tensor

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "JPEG2000")  # no EPS: it would run an interpreter
_BLOCK_ABOVE = 16  # times the target size


def load_views(items: ViewLike | Iterable[ViewLike], image_size: int | None = 128) -> Tensor:
    """Brings views into the form the models take, by the rule of this module.

    Args:
        items: one view or several.  A view is the path of an image file, a PIL image, an array (H, W) or (H, W, C), or
            a tensor (H, W) or (C, H, W), with C one of 1 (grey), 2 (grey, alpha), 3 (RGB), 4 (RGB, alpha); the other
            order of the dimensions is understood where only that is possible.  Arrays and tensors hold uint8, uint16,
            bool or floats in [0, 1]; with four dimensions they are several views.
        image_size: height and width of the views, in pixels; None: their own, which must be that of all.

    Returns:
        (V, 3, image_size, image_size) float32 in [0, 1], V at least 1.

    Raises:
        ImageError: there are no views, they differ in size where none is asked for, or one is missing, empty,
            truncated, no image, larger than ``MAX_PIXELS``, or holds NaN or values out of range; the message names the
            view and the reason.
    """
    if image_size is not None and image_size < 1:
        raise ValueError(f"image_size: expected at least 1, got {image_size}")
    several: Iterable[ViewLike]
    if isinstance(items, (str, os.PathLike, Image.Image)):
        several = [items]
    elif isinstance(items, (np.ndarray, Tensor)):
        several = items if items.ndim >= 4 else [items]
    else:
        several = items
    views = [load_view(item, image_size, f"view {index}") for index, item in enumerate(several)]
    if not views:
        raise ImageError("views: expected at least one, got none")
    for index, view in enumerate(views):
        if view.shape != views[0].shape:
            height, width = view.shape[1:]
            expected = f"{views[0].shape[1]}x{views[0].shape[2]} pixels (height x width) as view 0"
            raise ImageError(f"view {index}: expected {expected}, got {height}x{width}")
    return torch.stack(views) if len(views) > 1 else views[0][None]


def load_view(item: ViewLike, image_size: int | None = 128, name: str = "view") -> Tensor:
    """Brings one view into the form the models take; see :func:`load_views`.

    Args:
        item: as for :func:`load_views`.
        image_size: height and width, in pixels; None: its own.
        name: what to call the view in errors; a file is called by its path.

    Returns:
        (3, image_size, image_size) float32 in [0, 1].

    Raises:
        ImageError: as for :func:`load_views`.
    """
    if isinstance(item, (str, os.PathLike)):
        name = os.fspath(item)
        pixels = _decode(_open(Path(item)), name)
    elif isinstance(item, Image.Image):
        pixels = _decode(item, name)
    elif isinstance(item, Tensor):
        pixels = _channels_last(item.detach().cpu(), name)
    elif isinstance(item, np.ndarray):
        pixels = _channels_last(item, name)
    else:
        raise ImageError(f"{name}: expected a path, PIL image, array or tensor, got {type(item).__name__}")
    _check_size(pixels.shape[1], pixels.shape[0], name)
    channels = _rgb_on_white(pixels, name)
    if image_size is not None:
        channels = [_fit(channel, image_size) for channel in channels]
    view = np.empty((3, *channels[0].shape), dtype=np.float32)
    for index in range(3):  # a channel is freed once it is there: an image is held once and a third
        view[index] = channels.pop(0)
    return torch.from_numpy(view)


def _open(path: Path) -> Image.Image:
    """Opens an image file, reading its header only."""
    try:
        if not path.exists():
            raise ImageError(f"{path}: expected an image file, got nothing there")
        if not path.is_file():
            raise ImageError(f"{path}: expected an image file, got {'a folder' if path.is_dir() else 'a device'}")
        if path.stat().st_size == 0:
            raise ImageError(f"{path}: expected an image file, got an empty one")
        with warnings.catch_warnings():
            # Pillow warns of sizes that _check_size refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path}: expected at most {MAX_PIXELS} pixels, got more ({error})") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{path}: expected an image ({', '.join(_FORMATS)}), got something else") from error
    except ImageError:
        raise
    except Exception as error:  # Pillow's readers raise whatever the damage led to
        raise ImageError(f"{path}: expected a readable image, got {type(error).__name__}: {error}") from error


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"{name}: expected at least one pixel, got {width}x{height}")
    if width * height > MAX_PIXELS:
        raise ImageError(f"{name}: expected at most {MAX_PIXELS} pixels, got {width}x{height}")


def _decode(image: Image.Image, name: str) -> NDArray[np.generic]:
    """Pixels of a PIL image, (H, W, C) of uint8, uint16 or float32; the size is checked before anything is decoded."""
    _check_size(*image.size, name)
    try:
        image.load()
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16"):
            return np.asarray(image).astype(np.uint16)[:, :, None]
        if image.mode == "I":  # 32 bits; the files that have them hold 16
            values = np.asarray(image)
            if values.min() < 0 or values.max() > 0xFFFF:
                raise ImageError(f"{name}: expected 16-bit values, got {values.min()} to {values.max()}")
            return values.astype(np.uint16)[:, :, None]
        if image.mode == "F":
            return np.asarray(image)[:, :, None]
        return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever the damage led to
        raise ImageError(f"{name}: expected a whole image, got {type(error).__name__}: {error}") from error


def _channels_last(item: NDArray[np.generic] | Tensor, name: str) -> NDArray[np.generic]:
    """An array or tensor as an array (H, W, C) of C = 1 to 4."""
    if isinstance(item, Tensor):
        pixels: NDArray[np.generic] = (item.float() if item.dtype == torch.bfloat16 else item).numpy()
    else:
        pixels = item
    if pixels.ndim == 2:
        return pixels[:, :, None]
    if pixels.ndim == 3:
        first, last = 1 <= pixels.shape[0] <= 4, 1 <= pixels.shape[2] <= 4
        if first and (isinstance(item, Tensor) or not last):
            return np.moveaxis(pixels, 0, 2)
        if last:
            return pixels
    expected = "(H, W) or (C, H, W)" if isinstance(item, Tensor) else "(H, W) or (H, W, C)"
    raise ImageError(f"{name}: expected {expected} with 1 to 4 channels, got shape {tuple(pixels.shape)}")


def _rgb_on_white(pixels: NDArray[np.generic], name: str) -> list[NDArray[np.float32]]:
    """Splits (H, W, C) pixels into three (H, W) channels in [0, 1], composited on white."""
    count = pixels.shape[2]
    channels = [_unit(pixels[:, :, channel], name) for channel in range(count)]
    colors = channels[:1] * 3 if count < 3 else channels[:3]
    if count in (2, 4):
        alpha = channels[-1]
        colors = [np.clip(color * alpha + (1.0 - alpha), 0.0, 1.0) for color in colors]
    return colors


def _unit(values: NDArray[np.generic], name: str) -> NDArray[np.float32]:
    """Values of one channel as float32 in [0, 1]."""
    if values.dtype == np.uint8 or values.dtype == np.uint16:
        # float32 division, as the models' own views take: the same bits come out.
        return values.astype(np.float32) / np.float32(255.0 if values.dtype == np.uint8 else 65535.0)
    if values.dtype == np.bool_:
        return values.astype(np.float32)
    if not np.issubdtype(values.dtype, np.floating):
        raise ImageError(f"{name}: expected uint8, uint16, bool or floats, got {values.dtype}")
    low, high = float(values.min()), float(values.max())
    if not (low >= 0.0 and high <= 1.0):  # NaN fails both
        raise ImageError(f"{name}: expected floats in [0, 1], got {low:.6g} to {high:.6g}")
    return values.astype(np.float32)


def _fit(channel: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Pads a channel (H, W) to a square with white and resizes it to (size, size)."""
    if channel.shape == (size, size):
        return np.ascontiguousarray(channel)
    block = max(channel.shape) // (_BLOCK_ABOVE * size)
    if block > 1:
        channel = np.asarray(Image.fromarray(channel).reduce(block))
    height, width = channel.shape
    side = max(height, width)
    square = np.ones((side, side), dtype=np.float32)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = channel
    if side == size:
        return square
    resized = np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC))
    clipped: NDArray[np.float32] = np.clip(resized, 0.0, 1.0)
    return clipped


def to_uint8(views: Tensor) -> Tensor:
    """Views in [0, 1] as stored: uint8, rounded to the nearest of 255 steps."""
    return (views * 255.0).round().to(torch.uint8)
