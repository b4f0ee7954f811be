"""WebP: what of a file is header, and damage."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from classical_images import view

from jc3d.codec.classical import CODECS, decode_image, encode_image
from jc3d.errors import CodesError

Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize("ratio", range(40, 60, 2))
def test_header_bytes_of_webp_are_the_container(ratio: int) -> None:
    compressed = encode_image(view(), "webp", ratio=ratio)
    assert compressed.payload_bytes == struct.unpack_from("<I", compressed.data, 16)[0]
    assert compressed.header_bytes == 20 + compressed.payload_bytes % 2


def test_a_frame_of_odd_length_has_a_byte_after_it() -> None:
    compressed = encode_image(view(), "webp", ratio=48)
    data = bytearray(compressed.data)  # libwebp's frames are even; other encoders' may be odd
    data[16:20] = struct.pack("<I", compressed.payload_bytes - 1)
    assert CODECS["webp"].parse(bytes(data)).header_bytes == 21


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:4] + b"\0" + data[5:], "WebP at byte 4: expected a length of"),
        (lambda data: data[:12] + b"VP8X" + data[16:], "WebP at byte 12: expected b'VP8 '"),
        (lambda data: data[:23] + b"\0" + data[24:], "WebP at byte 23: expected start code 0x9d012a"),
    ],
)
def test_damage_is_named_with_its_place(damage: Damage, message: str) -> None:
    with pytest.raises(CodesError, match=message):
        decode_image(damage(encode_image(view(), "webp", num_bytes=700).data))
