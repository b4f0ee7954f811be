"""CRC-32C against published vectors, compiled and plain."""

from __future__ import annotations

import os
import random

import pytest

from jc3d.codec import crc
from jc3d.ops import extension

# RFC 3720, appendix B.4, and the check value of the CRC catalogue.
VECTORS = [
    (b"", 0x00000000),
    (b"123456789", 0xE3069283),
    (bytes(32), 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
    (bytes(range(31, -1, -1)), 0x113FDB5C),
]


@pytest.mark.parametrize(("data", "expected"), VECTORS)
def test_vectors(data: bytes, expected: int) -> None:
    assert crc.crc32c(data) == expected
    assert crc.crc32c_ref(data) == expected


def test_compiled_and_plain_agree() -> None:
    module = extension().module
    if module is None:
        if os.environ.get("JC3D_REQUIRE_EXTENSION") == "1":
            pytest.fail(extension().reason)
        pytest.skip(extension().reason)
    generator = random.Random(0)
    for length in [*range(40), 1000, 4099]:
        data = generator.randbytes(length)
        assert module.crc32c(data) == crc.crc32c_ref(data)
