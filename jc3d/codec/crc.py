"""CRC-32C (Castagnoli), the checksum at the end of a ``.jc3d`` file."""

from __future__ import annotations

import functools
from collections.abc import Callable

_POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41 with its bits reversed: the register shifts towards the least significant bit


def _table_entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(_table_entry(byte) for byte in range(256))


def crc32c(data: bytes) -> int:
    """CRC-32C of ``data``.

    Args:
        data: any bytes.

    Returns:
        The checksum, 0 to 2**32 - 1; ``crc32c(b"123456789") == 0xE3069283``.

    Source: RFC 3720, appendix B.4.
    """
    return _implementation()(data)


def crc32c_ref(data: bytes) -> int:
    """`crc32c` in plain Python, a table look-up a byte: its specification, and what runs without a compiled module."""
    register = 0xFFFFFFFF
    for byte in data:
        register = (register >> 8) ^ _TABLE[(register ^ byte) & 0xFF]
    return register ^ 0xFFFFFFFF


@functools.cache
def _implementation() -> Callable[[bytes], int]:
    from jc3d.ops._extension import extension  # here, not above: it loads torch

    module = extension().module
    return crc32c_ref if module is None else module.crc32c
