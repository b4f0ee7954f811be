"""``Codes``, what a camera sends for the views of one object: a value, which needs NumPy alone."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from jc3d.codec import wire
from jc3d.errors import CodesError
from jc3d.io.atomic import atomic_write
from jc3d.io.limits import MAX_SIDE
from jc3d.metrics.rate import compression_ratio, image_bytes

if TYPE_CHECKING:
    import torch


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
        _check_range("code_bits", self.code_bits, wire.LARGEST["code_bits"])
        if len(self.image_size) != 2:
            raise CodesError(f"image_size: expected (height, width), got {self.image_size!r}")
        for pixels in self.image_size:
            _check_range("image_size", pixels, MAX_SIDE)
        if not isinstance(self.fingerprint, bytes) or len(self.fingerprint) != wire.FINGERPRINT_BYTES:
            raise CodesError(f"fingerprint: expected {wire.FINGERPRINT_BYTES} bytes, got {self.fingerprint!r}")
        if not self.binary and self.code_bits % 32:
            raise CodesError(f"code_bits: expected a multiple of 32 for float codes, got {self.code_bits}")
        bits, code_bytes = self.bits, -(-self.code_bits // 8)
        if not isinstance(bits, np.ndarray) or bits.dtype != np.uint8 or bits.ndim != 3 or bits.shape[2] != code_bytes:
            got = f"{bits.dtype} {bits.shape}" if isinstance(bits, np.ndarray) else type(bits).__name__
            raise CodesError(f"bits: expected uint8 (iterations, views, {code_bytes}), got {got}")
        _check_range("iterations", bits.shape[0], wire.LARGEST["iterations"])
        _check_range("views", bits.shape[1], wire.LARGEST["views"])
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
        return wire.OVERHEAD_BYTES + self.payload_bytes

    @property
    def image_bytes(self) -> int:
        """Bytes of the views as plain 24-bit pixels."""
        return image_bytes(*self.image_size, self.num_views)

    @property
    def ratio_payload(self) -> float:
        """Compression ratio by the payload alone, the paper's definition ([J] eq. 12)."""
        return compression_ratio(self.payload_bytes, *self.image_size, self.num_views)

    @property
    def ratio_file(self) -> float:
        """Compression ratio by the whole file."""
        return compression_ratio(self.num_bytes, *self.image_size, self.num_views)

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
        from jc3d.codec.tensors import to_tensor  # here, not above: it loads torch

        return to_tensor(self.bits, self.code_bits, self.binary, dtype)

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
        from jc3d.codec.tensors import from_tensor

        return cls(*from_tensor(codes, iterations, binary), image_size, fingerprint, binary)

    def to_bytes(self) -> bytes:
        """The ``.jc3d`` file as bytes."""
        height, width = self.image_size
        header = wire.Header(
            wire.MAGIC,
            wire.VERSION,
            0 if self.binary else wire.FLAG_FLOAT,
            self.iterations,
            self.fingerprint,
            height,
            width,
            self.code_bits,
            self.num_views,
        )
        return wire.to_bytes(header, self.bits.tobytes())

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> Codes:
        """Reads a ``.jc3d`` file held in memory.

        Args:
            data: the whole file, nothing after it.

        Raises:
            CodesError: anything that is not exactly one valid file; the message says what is wrong, and at which byte.
        """
        return cls._of(wire.parse(bytes(data)))

    @classmethod
    def from_prefix(cls, data: bytes | bytearray | memoryview) -> Prefix:
        """Reads what has arrived of a ``.jc3d`` file: its whole iterations.

        Args:
            data: the first bytes of a file, or all of them. The checksum stands at the end, so what is wrong in a part
                cannot be found; only that it is a part of one file is checked.

        Raises:
            CodesError: not the beginning of a valid file, or less than one iteration of every view.
        """
        part = wire.parse_prefix(bytes(data))
        return Prefix(cls._of(part), part.total_iterations, part.missing_bytes)

    @classmethod
    def _of(cls, part: wire.Part) -> Codes:
        header = part.header
        return cls(
            np.frombuffer(part.payload, np.uint8).reshape(header.iterations, header.views, header.code_bytes),
            header.code_bits,
            (header.image_height, header.image_width),
            header.fingerprint,
            binary=not header.flags & wire.FLAG_FLOAT,
        )

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
        with _errors_naming(path):
            return cls.from_bytes(wire.read_file(path))

    @classmethod
    def load_prefix(cls, path: str | os.PathLike[str]) -> Prefix:
        """:meth:`from_prefix` of a file, of which no more is read than its header asks for.

        Raises:
            CodesError: as there; the message names the path.
            OSError: the path cannot be read.
        """
        with _errors_naming(path):
            return cls.from_prefix(wire.read_file(path))

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


@contextmanager
def _errors_naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Puts the path before what a `CodesError` says."""
    try:
        yield
    except CodesError as error:
        raise CodesError(f"{os.fspath(path)}: {error}") from None


def _check_range(name: str, value: int, largest: int) -> None:
    if not 1 <= value <= largest:
        raise CodesError(f"{name}: expected 1 to {largest}, got {value}")


def _check_payload(bits: npt.NDArray[np.uint8], code_bits: int, binary: bool) -> None:
    """Finds payloads that no encoder writes, so that equal codes are equal bytes."""
    padding = (1 << (-code_bits % 8)) - 1
    if padding:
        bad = np.flatnonzero(bits[..., -1] & padding)
        if bad.size:
            where = wire.HEADER_BYTES + (int(bad[0]) + 1) * bits.shape[2] - 1
            raise CodesError(f"padding at byte {where}: expected the last {-code_bits % 8} bits 0, got other")
    if not binary:
        bad = np.flatnonzero(~np.isfinite(bits.view("<f4")))
        if bad.size:
            where = wire.HEADER_BYTES + 4 * int(bad[0])
            raise CodesError(f"number at byte {where}: expected a finite float32, got NaN or infinity")
