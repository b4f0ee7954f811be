"""What the formats have in common: a stream taken apart into headers and payload, and the size asked of it."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import features

from jc3d.errors import CodesError, MissingExtraError
from jc3d.io.limits import MAX_PIXELS

Pixels = NDArray[np.uint8]


class Stream(NamedTuple):
    """A whole stream of one of the formats, and what its headers say."""

    data: bytes
    header_bytes: int
    height: int
    width: int
    channels: int  # 1 for grey, 3 for colour

    @property
    def payload_bytes(self) -> int:
        """Bytes of the compressed image itself."""
        return len(self.data) - self.header_bytes


class Target(NamedTuple):
    """The size asked for, in bytes: of the whole stream, or of its payload."""

    num_bytes: int
    header_free: bool

    def size(self, stream: Stream) -> int:
        """The size of a stream that counts."""
        return stream.payload_bytes if self.header_free else len(stream.data)


class Reader:
    """Reads big-endian numbers of a stream, and says where they are wrong."""

    def __init__(self, data: bytes, what: str) -> None:
        self.data, self.what = data, what

    def u8(self, offset: int) -> int:
        """The byte there; an offset past the end is a `CodesError`, here and below."""
        return self._number(">B", offset)

    def u16(self, offset: int) -> int:
        """The two bytes there."""
        return self._number(">H", offset)

    def u32(self, offset: int) -> int:
        """The four bytes there."""
        return self._number(">I", offset)

    def segment_end(self, offset: int) -> int:
        """Where the marker segment whose two bytes of length are at ``offset`` ends."""
        length = self.u16(offset)
        if length < 2:
            raise self.error(offset, "a segment of at least 2 bytes", length)
        if offset + length > len(self.data):
            raise self.error(offset, f"{length} more bytes", len(self.data) - offset)
        return offset + length

    def check(self, offset: int, what: str, expected: int, got: int) -> None:
        """Refuses any other value of a field."""
        if got != expected:
            raise self.error(offset, f"{what} {expected:#x}", f"{got:#x}")

    def check_size(self, offset: int, height: int, width: int) -> None:
        """Refuses an image without pixels, or with so many that decoding it would exhaust the memory."""
        if not 1 <= height * width <= MAX_PIXELS:
            raise self.error(offset, f"1 to {MAX_PIXELS} pixels", f"{width}x{height}")

    def error(self, offset: int, expected: str, got: object) -> CodesError:
        """The error about what is at ``offset``."""
        return CodesError(f"{self.what} at byte {offset}: expected {expected}, got {got}")

    def _number(self, form: str, offset: int) -> int:
        if offset + struct.calcsize(form) > len(self.data):
            raise self.error(offset, f"{struct.calcsize(form)} bytes", f"{max(0, len(self.data) - offset)}: truncated")
        return int(struct.unpack_from(form, self.data, offset)[0])


def pillow_library(feature: str, name: str) -> str:
    """Pillow's version and that of the codec it was built with, such as ``"Pillow 13.0.0, OpenJPEG 2.5.4"``.

    Args:
        feature: Pillow's name of the codec.
        name: the library's own name.

    Raises:
        MissingExtraError: Pillow was built without it.
    """
    if not features.check(feature):
        raise MissingExtraError(
            f"Pillow was built without {name}: pip install --force-reinstall --only-binary :all: pillow"
        )
    return f"Pillow {features.version('pil')}, {name} {features.version(feature)}"
