"""The ``.jc3d`` wire format, version 1: a header, a payload and a checksum.

The format is specified in ``docs/wire-format.md``; `_FIELDS` below is its header. What the payload means is not known
here but in `jc3d.codec.codes`.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO, NamedTuple

from jc3d.codec.crc import crc32c
from jc3d.errors import CodesError

MAGIC = b"JC3D"
VERSION = 1
FINGERPRINT_BYTES = 8
FLAG_FLOAT = 1 << 0  # the codes are float32 numbers, not bits

_FIELDS = {
    "magic": "4s",
    "version": "B",
    "flags": "B",
    "iterations": "H",
    "fingerprint": f"{FINGERPRINT_BYTES}s",
    "image_height": "H",
    "image_width": "H",
    "code_bits": "I",
    "views": "I",
}
_COUNTS = ("iterations", "image_height", "image_width", "code_bits", "views")  # the fields that are at least 1
_HEADER = struct.Struct("<" + "".join(_FIELDS.values()))
_OFFSET = {name: struct.calcsize("<" + "".join(list(_FIELDS.values())[:index])) for index, name in enumerate(_FIELDS)}
_CRC = struct.Struct("<I")
_READ_CHUNK = 1 << 20  # bytes

LARGEST = {name: 2 ** (8 * struct.calcsize("<" + _FIELDS[name])) - 1 for name in _COUNTS}
"""The largest number that each counting field of the header can hold."""
HEADER_BYTES = _HEADER.size
"""Where the payload begins."""
OVERHEAD_BYTES = HEADER_BYTES + _CRC.size
"""Bytes of a file over its payload."""


class Header(NamedTuple):
    """The fields of a header, in their order."""

    magic: bytes
    version: int
    flags: int
    iterations: int
    fingerprint: bytes
    image_height: int
    image_width: int
    code_bits: int
    views: int

    @property
    def code_bytes(self) -> int:
        """Bytes of one view and iteration."""
        return -(-self.code_bits // 8)

    @property
    def iteration_bytes(self) -> int:
        """Bytes of one iteration of every view."""
        return self.views * self.code_bytes

    @property
    def payload_bytes(self) -> int:
        """Bytes between the header and the checksum."""
        return self.iterations * self.iteration_bytes

    @property
    def file_bytes(self) -> int:
        """Bytes of the whole file."""
        return OVERHEAD_BYTES + self.payload_bytes


class Part(NamedTuple):
    """What there is of a file.

    Attributes:
        header: its header, which counts only the iterations that are whole.
        payload: these iterations.
        total_iterations: of the whole file.
        missing_bytes: of the file; 0 if it is whole, and only then was its checksum compared.
    """

    header: Header
    payload: memoryview
    total_iterations: int
    missing_bytes: int


def to_bytes(header: Header, payload: bytes) -> bytes:
    """A whole file."""
    body = _HEADER.pack(*header) + payload
    return body + _CRC.pack(crc32c(body))


def parse(data: bytes) -> Part:
    """Takes a whole file apart.

    Args:
        data: the whole file, nothing after it.

    Raises:
        CodesError: anything else; the message says what is wrong, and at which byte.
    """
    header = _parse_header(data[:HEADER_BYTES])
    if len(data) != header.file_bytes:
        raise CodesError(_length_message(header, str(len(data))))
    (stored,) = _CRC.unpack_from(data, len(data) - _CRC.size)
    computed = crc32c(data[: -_CRC.size])
    if stored != computed:
        where = len(data) - _CRC.size
        raise CodesError(f"checksum at byte {where}: expected {computed:08x}, got {stored:08x}: damaged")
    return Part(header, _payload(header, data), header.iterations, 0)


def parse_prefix(data: bytes) -> Part:
    """Takes apart what has arrived of a file.

    Args:
        data: the first bytes of a file, or all of them.

    Raises:
        CodesError: not the beginning of a valid file, or less than one iteration of every view.
    """
    header = _parse_header(data[:HEADER_BYTES])
    missing = header.file_bytes - len(data)
    if missing <= 0:
        return parse(data)
    each = header.iteration_bytes
    whole = min((len(data) - HEADER_BYTES) // each, header.iterations)
    if whole < 1:
        raise CodesError(
            f"length: expected at least {HEADER_BYTES + each} bytes, which hold one of {header.iterations} "
            f"iterations, got {len(data)}"
        )
    arrived = header._replace(iterations=whole)
    return Part(arrived, _payload(arrived, data), header.iterations, missing)


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Reads as many bytes of a file as its header asks for, and not one of what cannot be a file.

    Raises:
        CodesError: no valid header, or bytes after those that it asks for.
        OSError: the path cannot be read.
    """
    with open(path, "rb") as file:
        return _read(file)


def _read(file: BinaryIO) -> bytes:
    """Reads what the header asks for, and one byte more to see that there are none.

    In chunks: what the header claims is never allocated before it has arrived.
    """
    data = bytearray(file.read(HEADER_BYTES))
    header = _parse_header(bytes(data))
    while len(data) <= header.file_bytes:
        chunk = file.read(min(_READ_CHUNK, header.file_bytes + 1 - len(data)))
        if not chunk:
            return bytes(data)
        data += chunk
    raise CodesError(_length_message(header, "more"))


def _payload(header: Header, data: bytes) -> memoryview:
    return memoryview(data)[HEADER_BYTES : HEADER_BYTES + header.payload_bytes]


def _parse_header(data: bytes) -> Header:
    """Reads and checks everything that the first 28 bytes say."""
    if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
        raise CodesError(f"magic at byte 0: expected {MAGIC!r}, got {data[: len(MAGIC)]!r}: not a .jc3d file")
    if len(data) > _OFFSET["version"] and data[_OFFSET["version"]] != VERSION:
        raise CodesError(f"version at byte {_OFFSET['version']}: expected {VERSION}, got {data[_OFFSET['version']]}")
    if len(data) < HEADER_BYTES:
        raise CodesError(f"header: expected {HEADER_BYTES} bytes, got {len(data)}: truncated")
    header = Header(*_HEADER.unpack(data))
    if header.flags & ~FLAG_FLOAT:
        raise CodesError(f"flags at byte {_OFFSET['flags']}: expected only bit 0 used, got {header.flags:#04x}")
    for name in _COUNTS:
        if getattr(header, name) == 0:
            raise CodesError(f"{name} at byte {_OFFSET[name]}: expected at least 1, got 0")
    if header.flags & FLAG_FLOAT and header.code_bits % 32:
        where, got = _OFFSET["code_bits"], header.code_bits
        raise CodesError(f"code_bits at byte {where}: expected a multiple of 32 for float codes, got {got}")
    return header


def _length_message(header: Header, got: str) -> str:
    return (
        f"length: expected {header.file_bytes} bytes ({header.iterations} iterations x {header.views} views x "
        f"{header.code_bytes} bytes + {OVERHEAD_BYTES}), got {got}"
    )
