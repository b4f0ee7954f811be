"""JPEG by Pillow: baseline, optimised Huffman tables, colour at half the resolution (4:2:0).

The tables of the image itself make both the header and the payload smaller than the standard's; a progressive stream
would repeat headers for every scan; 4:2:0 is what low rates are best served by.

Source: ITU-T T.81, annex B.
"""

from __future__ import annotations

import io
import re

from PIL import Image, features

from jc3d.codec.classical.search import by_quality
from jc3d.codec.classical.stream import Pixels, Reader, Stream, Target, pillow_library
from jc3d.errors import ImageError

_QUALITIES = range(1, 101)  # 0 is 1
_MAX_SIDE = 65500  # pixels; libjpeg's
_SOI, _EOI, _SOS = 0xFFD8, 0xFFD9, 0xFFDA
_FRAMES = (0xFFC0, 0xFFC1, 0xFFC2)  # baseline, extended, progressive; all by Huffman codes
_TABLES = (0xFFC4, 0xFFDB, 0xFFDD, 0xFFFE, *range(0xFFE0, 0xFFF0))  # and restart intervals, comments, applications' own
# The end of a scan: a marker that is neither a stuffed byte nor a restart.
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]", re.DOTALL)


def library() -> str:
    """Which software encodes and decodes."""
    if features.check("libjpeg_turbo"):
        return pillow_library("libjpeg_turbo", "libjpeg-turbo")
    return pillow_library("jpg", "libjpeg")


def encode(pixels: Pixels, target: Target, backend: str) -> tuple[Stream, str]:
    """The stream for a target, and the library; see `jc3d.codec.classical.encode_image`."""
    if max(pixels.shape) > _MAX_SIDE:
        raise ImageError(f"image: expected at most {_MAX_SIDE} pixels a side for JPEG, got shape {pixels.shape}")
    used, image = library(), Image.fromarray(pixels)

    def at(quality: int) -> Stream:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality, optimize=True, progressive=False, subsampling="4:2:0")
        return parse(file.getvalue())

    return by_quality(at, _QUALITIES, target), used


def parse(data: bytes) -> Stream:
    """Takes a stream apart; the payload is the entropy-coded data of its scans, restart markers included.

    Args:
        data: the whole stream, nothing after it.

    Raises:
        CodesError: not one whole 8-bit JPEG stream of one or three components; the message says where.
    """
    reader = Reader(data, "JPEG")
    reader.check(0, "marker", _SOI, reader.u16(0))
    position, payload, frame = 2, 0, None
    while True:
        while reader.u16(position) == 0xFFFF:  # fill bytes
            position += 1
        marker = reader.u16(position)
        if marker == _EOI:
            break
        if marker not in (_SOS, *_FRAMES, *_TABLES):
            raise reader.error(position, "tables, a frame or scan of Huffman codes or the end", f"{marker:#x}")
        end = reader.segment_end(position + 2)
        if marker in _FRAMES:
            if frame is not None:
                raise reader.error(position, "one frame header", "another")
            frame = _frame(reader, position + 4)
        position = end
        if marker == _SOS:
            if frame is None:
                raise reader.error(position, "a frame header before a scan", "none")
            found = _MARKER.search(data, end)
            position = found.start() if found else len(data)
            payload += position - end
    if position + 2 != len(data):
        raise reader.error(position + 2, "the end", f"{len(data) - position - 2} more bytes")
    if frame is None or not payload:
        raise reader.error(position, "a frame and a scan before the end", "none")
    return Stream(data, len(data) - payload, *frame)


def _frame(reader: Reader, at: int) -> tuple[int, int, int]:
    """(height, width, channels) of the frame header there."""
    reader.check(at, "bits a sample", 8, reader.u8(at))
    height, width, channels = reader.u16(at + 1), reader.u16(at + 3), reader.u8(at + 5)
    reader.check_size(at + 1, height, width)
    if channels not in (1, 3):
        raise reader.error(at + 5, "1 or 3 components", channels)
    return height, width, channels
