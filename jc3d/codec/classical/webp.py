"""WebP by Pillow: lossy, at the slowest and best effort (method 6); colour is at half the resolution by the format.

Source: RFC 9649 (container), RFC 6386 (VP8 frame header).
"""

from __future__ import annotations

import io

from PIL import Image

from jc3d.codec.classical.search import by_quality
from jc3d.codec.classical.stream import Pixels, Reader, Stream, Target, pillow_library
from jc3d.errors import ImageError

_QUALITIES = range(0, 101)
_MAX_SIDE = 16383  # pixels; the format's
_CONTAINER = 12  # "RIFF", size, "WEBP"
_CHUNK = 8  # name, size
_START_CODE = 0x9D012A


def library() -> str:
    """Which software encodes and decodes."""
    return pillow_library("webp", "libwebp")


def encode(pixels: Pixels, target: Target, backend: str) -> tuple[Stream, str]:
    """The stream for a target, and the library; see `jc3d.codec.classical.encode_image`.

    A grey image is stored as a coloured one, since the format has no other.
    """
    if max(pixels.shape) > _MAX_SIDE:
        raise ImageError(f"image: expected at most {_MAX_SIDE} pixels a side for WebP, got shape {pixels.shape}")
    used, image = library(), Image.fromarray(pixels).convert("RGB")

    def at(quality: int) -> Stream:
        file = io.BytesIO()
        image.save(file, "WEBP", quality=quality, method=6)
        return parse(file.getvalue())

    return by_quality(at, _QUALITIES, target), used


def parse(data: bytes) -> Stream:
    """Takes a stream apart; the payload is the VP8 frame, its own 10 bytes of header included.

    Args:
        data: the whole stream, nothing after it.

    Raises:
        CodesError: not one whole lossy image without transparency or metadata; the message says where.
    """
    reader = Reader(data, "WebP")
    for offset, name in ((0, b"RIFF"), (8, b"WEBP"), (_CONTAINER, b"VP8 ")):
        reader.check(offset, repr(name), int.from_bytes(name, "big"), reader.u32(offset))
    _check_length(reader, 4, len(data) - 8)
    start = _CONTAINER + _CHUNK
    payload = _little_endian(reader, _CONTAINER + 4)
    if start + payload + payload % 2 != len(data):  # chunks are padded to an even length
        raise reader.error(_CONTAINER + 4, f"a chunk of the remaining {len(data) - start} bytes", payload)
    if reader.u8(start) & 1:
        raise reader.error(start, "a key frame", "another")
    reader.check(start + 3, "start code", _START_CODE, reader.u32(start + 3) >> 8)
    width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (start + 6, start + 8))
    reader.u16(start + 8)  # refuses a frame that ends before its size
    reader.check_size(start + 6, height, width)
    return Stream(data, len(data) - payload, height, width, 3)


def _check_length(reader: Reader, offset: int, expected: int) -> None:
    got = _little_endian(reader, offset)
    if got != expected:
        raise reader.error(offset, f"a length of {expected}", got)


def _little_endian(reader: Reader, offset: int) -> int:
    return int.from_bytes(reader.u32(offset).to_bytes(4, "big"), "little")
