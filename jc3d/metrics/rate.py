"""Rate from the bytes that were really sent or stored."""

from __future__ import annotations

import operator


def bits_per_pixel(num_bytes: int, height: int, width: int) -> float:
    """Bits for a pixel, whatever its number of channels.

    Args:
        num_bytes: length of the file or message, with all headers.
        height: pixels of the original.
        width: pixels of the original.

    Raises:
        TypeError: not a whole number.
        ValueError: a negative number of bytes, or an image without pixels.
    """
    return 8 * _whole("num_bytes", num_bytes, 0) / (_whole("height", height, 1) * _whole("width", width, 1))


def compression_ratio(num_bytes: int, height: int, width: int, channels: int = 3, images: int = 1) -> float:
    """How many times smaller than the image at 8 bits a channel the bytes are.

    Args:
        num_bytes: as for :func:`bits_per_pixel`, at least 1.
        height: pixels of the original.
        width: pixels of the original.
        channels: of the original, a byte a pixel each.
        images: how many of this size the bytes hold.

    Raises:
        TypeError: not a whole number.
        ValueError: no bytes, pixels, channels or images.
    """
    raw = _whole("height", height, 1) * _whole("width", width, 1) * _whole("channels", channels, 1)
    raw *= _whole("images", images, 1)
    return raw / _whole("num_bytes", num_bytes, 1)


def _whole(name: str, value: int, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected a whole number, got {value!r}") from None
    if number < least:
        raise ValueError(f"{name}: expected at least {least}, got {number}")
    return number
