"""JPEG: what of a stream is header, and damage."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from classical_images import view

from jc3d.codec.classical import CODECS, decode_image, encode_image
from jc3d.errors import CodesError

Damage = Callable[[bytes], bytes]


def hand_made_jpeg(scan: bytes = b"\x12\xff\x00\x34\xff\xd0\x56") -> bytes:
    frame = b"\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01\x01\x11\x00"
    comment = b"\xff\xfe\x00\x04\xff\xd9"  # a marker's bytes in a segment are none
    return b"\xff\xd8" + comment + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + scan + b"\xff\xff\xd9"


def test_header_bytes_of_jpeg_are_all_but_the_scan() -> None:
    stream = CODECS["jpeg"].parse(hand_made_jpeg())
    assert stream.payload_bytes == 7
    assert (stream.height, stream.width, stream.channels) == (16, 32, 1)
    assert stream.header_bytes == 2 + 6 + 13 + 10 + 3
    compressed = encode_image(view(), "jpeg", ratio=48)
    scan = compressed.data.index(b"\xff\xda") + 14
    assert compressed.payload_bytes == len(compressed.data[scan:-2])
    assert compressed.data.count(b"\xff\xda") == 1  # baseline


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:2] + b"\xff\xc9" + data[4:], "JPEG at byte 2: expected tables, a frame or scan"),
        (lambda data: b"\xff\xd8\xff\xd9", "JPEG at byte 2: expected a frame and a scan before the end"),
        (lambda data: hand_made_jpeg()[:-4], "JPEG at byte 37: expected 2 bytes, got 0: truncated"),
    ],
)
def test_damage_is_named_with_its_place(damage: Damage, message: str) -> None:
    with pytest.raises(CodesError, match=message):
        decode_image(damage(encode_image(view(), "jpeg", num_bytes=700).data))
