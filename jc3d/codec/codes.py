"""``Codes``, what a camera sends for the views of one object, and the ``.jc3d`` wire format, version 1.

The format is specified in ``docs/wire-format.md``; `_FIELDS` below is its header.
"""

from __future__ import annotations

import dataclasses
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from jc3d.codec.crc import crc32c
from jc3d.errors import CodesError
from jc3d.io.atomic import atomic_write

if TYPE_CHECKING:
    import torch

MAGIC = b"JC3D"
VERSION = 1
FINGERPRINT_BYTES = 8

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
_FLAG_FLOAT = 1 << 0  # the codes are float32 numbers, not bits
_U16_MAX = 2**16 - 1
_U32_MAX = 2**32 - 1
_READ_CHUNK = 1 << 20  # bytes

OVERHEAD_BYTES = _HEADER.size + _CRC.size  # of a file, over its payload


class _Header(NamedTuple):
    """`_FIELDS`, in their order."""

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
        return -(-self.code_bits // 8)

    @property
    def file_bytes(self) -> int:
        return OVERHEAD_BYTES + self.iterations * self.views * self.code_bytes


class Prefix(NamedTuple):
    """What :meth:`Codes.from_prefix` found of a file.

    Attributes:
        codes: the iterations that are whole.
        total_iterations: of the whole file.
        missing_bytes: of the file; 0 if it is whole, and only then was its checksum compared.
    """

    codes: Codes
    total_iterations: int
    missing_bytes: int


@dataclass(frozen=True, eq=False)
class Codes:
    """The codes of the views of one object: all that a receiver needs to reconstruct it.

    Immutable; two are equal when their files are.

    Args:
        bits: (iterations, views, ceil(code_bits / 8)) uint8, read-only. Bits are packed with the most significant
            first, 1 for +1, unused bits of a code's last byte 0; float codes are little-endian float32.
        code_bits: bits of one view and iteration, at least 1; 32 a number for float codes.
        image_size: (height, width) in pixels of the views that were encoded: what the ratios are counted from.
        fingerprint: the 8 bytes that name the model and its weights.
        binary: True for bits, False for float32 numbers.

    Raises:
        CodesError: an argument out of range, no view, a padding bit that is not 0, a number that is not finite.

    Source: wire format v1, ``docs/wire-format.md``.
    """

    bits: npt.NDArray[np.uint8]
    code_bits: int
    image_size: tuple[int, int]
    fingerprint: bytes
    binary: bool = True

    def __post_init__(self) -> None:
        """Checks every field and takes a read-only hold of the bits."""
        _check_range("code_bits", self.code_bits, _U32_MAX)
        if len(self.image_size) != 2:
            raise CodesError(f"image_size: expected (height, width), got {self.image_size!r}")
        for pixels in self.image_size:
            _check_range("image_size", pixels, _U16_MAX)
        if not isinstance(self.fingerprint, bytes) or len(self.fingerprint) != FINGERPRINT_BYTES:
            raise CodesError(f"fingerprint: expected {FINGERPRINT_BYTES} bytes, got {self.fingerprint!r}")
        if not self.binary and self.code_bits % 32:
            raise CodesError(f"code_bits: expected a multiple of 32 for float codes, got {self.code_bits}")
        bits, code_bytes = self.bits, -(-self.code_bits // 8)
        if not isinstance(bits, np.ndarray) or bits.dtype != np.uint8 or bits.ndim != 3 or bits.shape[2] != code_bytes:
            got = f"{bits.dtype} {bits.shape}" if isinstance(bits, np.ndarray) else type(bits).__name__
            raise CodesError(f"bits: expected uint8 (iterations, views, {code_bytes}), got {got}")
        _check_range("iterations", bits.shape[0], _U16_MAX)
        _check_range("views", bits.shape[1], _U32_MAX)
        if bits.flags.writeable or not bits.flags.c_contiguous:
            bits = bits.copy()
            bits.setflags(write=False)
        object.__setattr__(self, "bits", bits)
        _check_payload(bits, self.code_bits, self.binary)

    @property
    def iterations(self) -> int:
        """How many codes each view has: more iterations, more detail."""
        return int(self.bits.shape[0])

    @property
    def num_views(self) -> int:
        """How many views were encoded, at least 1."""
        return int(self.bits.shape[1])

    @property
    def payload_bytes(self) -> int:
        """Bytes of the codes themselves."""
        return int(self.bits.size)

    @property
    def num_bytes(self) -> int:
        """Bytes of the whole file."""
        return OVERHEAD_BYTES + self.payload_bytes

    @property
    def image_bytes(self) -> int:
        """Bytes of the views as plain 24-bit pixels."""
        height, width = self.image_size
        return self.num_views * height * width * 3

    @property
    def ratio_payload(self) -> float:
        """Compression ratio by the payload alone, the paper's definition ([J] eq. 12)."""
        return self.image_bytes / self.payload_bytes

    @property
    def ratio_file(self) -> float:
        """Compression ratio by the whole file."""
        return self.image_bytes / self.num_bytes

    @classmethod
    def join(cls, parts: Sequence[Codes]) -> Codes:
        """The views of several `Codes` of one object as one, in order: views encoded one after another.

        Args:
            parts: of one model and image size, with equal numbers of iterations.

        Raises:
            CodesError: none, or they differ.
        """
        if not parts:
            raise CodesError("parts: expected at least one Codes, got none")
        kinds = {(part.fingerprint, part.code_bits, part.image_size, part.binary, part.iterations) for part in parts}
        if len(kinds) > 1:
            raise CodesError(f"parts: expected codes of one model, image size and rate, got {parts}")
        return dataclasses.replace(parts[0], bits=np.concatenate([part.bits for part in parts], axis=1))

    def truncate(self, iterations: int) -> Codes:
        """The same views at a lower rate: their first iterations only.

        Args:
            iterations: how many to keep, 1 to `iterations`.

        Raises:
            CodesError: more iterations than there are, or none.
        """
        _check_range("iterations", iterations, self.iterations)
        return dataclasses.replace(self, bits=self.bits[:iterations])

    def to_tensor(self, dtype: torch.dtype | None = None) -> torch.Tensor:
        """The codes as a model takes them.

        Args:
            dtype: a floating dtype; float32 by default.

        Returns:
            (views, iterations · K): -1 and +1, K = code_bits, or for float codes the numbers, K = code_bits / 32.
        """
        import torch

        from jc3d.ops import unpack_bits

        dtype = dtype or torch.float32
        if self.binary:
            codes = unpack_bits(torch.from_numpy(self.bits.copy()), self.code_bits, dtype)
        else:
            codes = torch.from_numpy(self.bits.view("<f4").astype(np.float32)).to(dtype)
        return codes.transpose(0, 1).reshape(self.num_views, -1)

    @classmethod
    def from_tensor(
        cls,
        codes: torch.Tensor,
        *,
        fingerprint: bytes,
        image_size: tuple[int, int] = (128, 128),
        binary: bool = True,
        iterations: int = 1,
    ) -> Codes:
        """Packs the codes a model gave for the views of one object.

        Args:
            codes: (views, iterations · K), floating: exactly -1 or +1 where ``binary``, else finite numbers.
            fingerprint: the model's.
            image_size: (height, width) of the views.
            binary: whether a code is bits or float32 numbers.
            iterations: how many iterations the last dimension holds, one after another.

        Raises:
            CodesError: no view, another shape, a binary code that is not ±1, a number that is not finite.
        """
        import torch

        from jc3d.ops import pack_bits

        if codes.ndim != 2 or 0 in codes.shape or iterations < 1 or codes.shape[1] % iterations:
            raise CodesError(
                f"codes: expected (views, {iterations} iterations · K), at least one view, got {tuple(codes.shape)}"
            )
        codes = codes.detach().to("cpu", torch.float32)
        by_iteration = codes.reshape(codes.shape[0], iterations, -1).transpose(0, 1).contiguous()
        if binary:
            if not bool((codes.abs() == 1).all()):
                raise CodesError("codes: expected -1 or +1, got other values or NaN")
            bits, code_bits = pack_bits(by_iteration).numpy(), by_iteration.shape[2]
        else:
            bits, code_bits = by_iteration.numpy().astype("<f4").view(np.uint8), 32 * by_iteration.shape[2]
        return cls(bits, code_bits, image_size, fingerprint, binary)

    def to_bytes(self) -> bytes:
        """The ``.jc3d`` file as bytes."""
        height, width = self.image_size
        flags = 0 if self.binary else _FLAG_FLOAT
        header = _Header(
            MAGIC, VERSION, flags, self.iterations, self.fingerprint, height, width, self.code_bits, self.num_views
        )
        body = _HEADER.pack(*header) + self.bits.tobytes()
        return body + _CRC.pack(crc32c(body))

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> Codes:
        """Reads a ``.jc3d`` file held in memory.

        Args:
            data: the whole file, nothing after it.

        Raises:
            CodesError: anything that is not exactly one valid file; the message says what is wrong, and at which byte.
        """
        data = bytes(data)
        header = _parse_header(data[: _HEADER.size])
        if len(data) != header.file_bytes:
            raise CodesError(_length_message(header, str(len(data))))
        (stored,) = _CRC.unpack_from(data, len(data) - _CRC.size)
        computed = crc32c(data[: -_CRC.size])
        if stored != computed:
            where = len(data) - _CRC.size
            raise CodesError(f"checksum at byte {where}: expected {computed:08x}, got {stored:08x}: damaged")
        return cls._of(header, data)

    @classmethod
    def _of(cls, header: _Header, data: bytes) -> Codes:
        """The iterations that a header counts, from the beginning of a file."""
        payload = np.frombuffer(data, np.uint8, header.file_bytes - OVERHEAD_BYTES, _HEADER.size)
        return cls(
            payload.reshape(header.iterations, header.views, header.code_bytes),
            header.code_bits,
            (header.image_height, header.image_width),
            header.fingerprint,
            binary=not header.flags & _FLAG_FLOAT,
        )

    @classmethod
    def from_prefix(cls, data: bytes | bytearray | memoryview) -> Prefix:
        """Reads what has arrived of a ``.jc3d`` file: its whole iterations.

        Args:
            data: the first bytes of a file, or all of them. The checksum stands at the end, so what is wrong in a part
                cannot be found; only that it is a part of one file is checked.

        Raises:
            CodesError: not the beginning of a valid file, or less than one iteration of every view.
        """
        data = bytes(data)
        header = _parse_header(data[: _HEADER.size])
        missing = header.file_bytes - len(data)
        if missing <= 0:
            return Prefix(cls.from_bytes(data), header.iterations, 0)
        each = header.views * header.code_bytes
        whole = min((len(data) - _HEADER.size) // each, header.iterations)
        if whole < 1:
            raise CodesError(
                f"length: expected at least {_HEADER.size + each} bytes, which hold one of {header.iterations} "
                f"iterations, got {len(data)}"
            )
        codes = cls._of(header._replace(iterations=whole), data)
        return Prefix(codes, header.iterations, missing)

    @classmethod
    def load_prefix(cls, path: str | os.PathLike[str]) -> Prefix:
        """:meth:`from_prefix` of a file, of which no more is read than its header asks for.

        Raises:
            CodesError: as there; the message names the path.
            OSError: the path cannot be read.
        """
        try:
            with open(path, "rb") as file:
                return cls.from_prefix(_read_file(file))
        except CodesError as error:
            raise CodesError(f"{os.fspath(path)}: {error}") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the ``.jc3d`` file, whole or not at all.

        Raises:
            OSError: the path cannot be written.
        """
        data = self.to_bytes()
        with atomic_write(path) as file:
            file.write(data)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Codes:
        """Reads a ``.jc3d`` file; of any other file no more than its first bytes.

        Raises:
            CodesError: not one valid file; the message names the path.
            OSError: the path cannot be read.
        """
        try:
            with open(path, "rb") as file:
                return cls.from_bytes(_read_file(file))
        except CodesError as error:
            raise CodesError(f"{os.fspath(path)}: {error}") from None

    def __eq__(self, other: object) -> bool:
        """Equal when the files would be."""
        return self.to_bytes() == other.to_bytes() if isinstance(other, Codes) else NotImplemented

    def __hash__(self) -> int:
        """Of the file's bytes."""
        return hash(self.to_bytes())

    def __repr__(self) -> str:
        """One line without the bits."""
        kind = "bits" if self.binary else "bits of float32"
        height, width = self.image_size
        return (
            f"Codes({self.num_views} views x {self.iterations} x {self.code_bits} {kind}, "
            f"images {height}x{width}, model {self.fingerprint.hex()})"
        )


def _check_range(name: str, value: int, largest: int) -> None:
    if not 1 <= value <= largest:
        raise CodesError(f"{name}: expected 1 to {largest}, got {value}")


def _check_payload(bits: npt.NDArray[np.uint8], code_bits: int, binary: bool) -> None:
    """Finds payloads that no encoder writes, so that equal codes are equal bytes."""
    padding = (1 << (-code_bits % 8)) - 1
    if padding:
        bad = np.flatnonzero(bits[..., -1] & padding)
        if bad.size:
            where = _HEADER.size + (int(bad[0]) + 1) * bits.shape[2] - 1
            raise CodesError(f"padding at byte {where}: expected the last {-code_bits % 8} bits 0, got other")
    if not binary:
        bad = np.flatnonzero(~np.isfinite(bits.view("<f4")))
        if bad.size:
            where = _HEADER.size + 4 * int(bad[0])
            raise CodesError(f"number at byte {where}: expected a finite float32, got NaN or infinity")


def _parse_header(data: bytes) -> _Header:
    """Reads and checks everything that the first 28 bytes say."""
    if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
        raise CodesError(f"magic at byte 0: expected {MAGIC!r}, got {data[: len(MAGIC)]!r}: not a .jc3d file")
    if len(data) > _OFFSET["version"] and data[_OFFSET["version"]] != VERSION:
        raise CodesError(f"version at byte {_OFFSET['version']}: expected {VERSION}, got {data[_OFFSET['version']]}")
    if len(data) < _HEADER.size:
        raise CodesError(f"header: expected {_HEADER.size} bytes, got {len(data)}: truncated")
    header = _Header(*_HEADER.unpack(data))
    if header.flags & ~_FLAG_FLOAT:
        raise CodesError(f"flags at byte {_OFFSET['flags']}: expected only bit 0 used, got {header.flags:#04x}")
    for name in _COUNTS:
        if getattr(header, name) == 0:
            raise CodesError(f"{name} at byte {_OFFSET[name]}: expected at least 1, got 0")
    if header.flags & _FLAG_FLOAT and header.code_bits % 32:
        where, got = _OFFSET["code_bits"], header.code_bits
        raise CodesError(f"code_bits at byte {where}: expected a multiple of 32 for float codes, got {got}")
    return header


def _length_message(header: _Header, got: str) -> str:
    return (
        f"length: expected {header.file_bytes} bytes ({header.iterations} iterations x {header.views} views x "
        f"{header.code_bytes} bytes + {OVERHEAD_BYTES}), got {got}"
    )


def _read_file(file: BinaryIO) -> bytes:
    """Reads as many bytes as the header asks for, and one more to see that there are none.

    In chunks: what the header claims is never allocated before it has arrived.
    """
    data = bytearray(file.read(_HEADER.size))
    header = _parse_header(bytes(data))
    while len(data) <= header.file_bytes:
        chunk = file.read(min(_READ_CHUNK, header.file_bytes + 1 - len(data)))
        if not chunk:
            return bytes(data)
        data += chunk
    raise CodesError(_length_message(header, "more"))
