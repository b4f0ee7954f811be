"""The one definition of a compression ratio: plain pixels over the bytes that were really sent or stored."""

from __future__ import annotations

import math
import operator


def image_bytes(height: int, width: int, images: int = 1, channels: int = 3) -> int:
    """Bytes of images as plain pixels: a byte a channel, so 24 bits a pixel in colour.

    Args:
        height: pixels of an image.
        width: pixels of an image.
        images: how many there are.
        channels: 3, or 1 for grey images.

    Raises:
        TypeError: not a whole number.
        ValueError: no pixels, images or channels.
    """
    sizes = {"height": height, "width": width, "images": images, "channels": channels}
    return math.prod(_at_least_one(name, value) for name, value in sizes.items())


def compression_ratio(num_bytes: float, height: int, width: int, images: int = 1, channels: int = 3) -> float:
    """How many times smaller than the plain pixels the bytes are.

    Args:
        num_bytes: of all images together, above 0; a fraction where a code is no whole number of bytes (bits / 8).
        height: as for :func:`image_bytes`, here and below.
        width: pixels of an image.
        images: how many there are.
        channels: 3, or 1 for grey images.

    Raises:
        TypeError: a size is not a whole number.
        ValueError: no bytes, pixels, images or channels.

    Source: [J] eq. 12, where the bytes are those of the codes alone.
    """
    if not (num_bytes > 0 and math.isfinite(num_bytes)):
        raise ValueError(f"num_bytes: expected a finite number above 0, got {num_bytes}")
    return image_bytes(height, width, images, channels) / num_bytes


def _at_least_one(name: str, value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected a whole number, got {value!r}") from None
    if number < 1:
        raise ValueError(f"{name}: expected at least 1, got {number}")
    return number
