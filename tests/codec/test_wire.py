"""The .jc3d wire format: its layout, and a reader that refuses everything else."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
import torch
from sample_codes import FINGERPRINT, float_samples, patched, samples, sealed

from jc3d.codec import Codes, crc, wire
from jc3d.errors import CodesError
from jc3d.io.limits import MAX_SIDE


def test_layout_is_the_documented_one() -> None:
    signs = torch.full((2, 12), -1.0)
    signs[0, 0] = signs[1, 11] = 1
    data = Codes.from_tensor(signs, fingerprint=FINGERPRINT, image_size=(128, 256)).to_bytes()
    assert data[:4] == b"JC3D"
    assert data[4:8] == bytes([1, 0, 1, 0])  # version, flags, iterations
    assert data[8:16] == FINGERPRINT
    assert struct.unpack_from("<HHII", data, 16) == (128, 256, 12, 2)
    assert data[28:32] == bytes([0x80, 0x00, 0x00, 0x10])  # most significant bit first, four padding bits
    assert struct.unpack_from("<I", data, 32) == (crc.crc32c(data[:32]),)


def test_floats_cost_four_bytes_each_and_are_little_endian() -> None:
    codes = Codes.from_tensor(torch.tensor([[1.5, -2.0]]), fingerprint=FINGERPRINT, binary=False)
    assert codes.to_bytes()[5] == 1  # flags
    assert codes.code_bits == 64
    assert codes.to_bytes()[28:36] == struct.pack("<ff", 1.5, -2.0)


def test_the_header_holds_the_largest_side() -> None:
    assert wire.LARGEST["image_height"] == wire.LARGEST["image_width"] == MAX_SIDE
    assert wire.LARGEST["iterations"] == 2**16 - 1
    assert wire.LARGEST["views"] == wire.LARGEST["code_bits"] == 2**32 - 1


@pytest.mark.parametrize("codes", [samples(views=2, bits=20), float_samples()], ids=["bits", "floats"])
def test_every_flipped_bit_is_detected(codes: Codes) -> None:
    data = codes.to_bytes()
    for offset in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[offset] ^= 1 << bit
            with pytest.raises(CodesError, match=r"byte|length"):
                Codes.from_bytes(damaged)


def test_every_other_value_of_every_byte_is_detected() -> None:
    data = samples(views=1, bits=12).to_bytes()
    for offset in range(len(data)):
        for value in range(256):
            if value != data[offset]:
                with pytest.raises(CodesError):
                    Codes.from_bytes(data[:offset] + bytes([value]) + data[offset + 1 :])


def test_every_truncation_is_detected() -> None:
    data = samples().to_bytes()
    for length in range(len(data)):
        with pytest.raises(CodesError, match=r"expected"):
            Codes.from_bytes(data[:length])


@pytest.mark.parametrize("extra", [b"\0", b"JC3D", bytes(1000)])
def test_trailing_bytes_are_refused(extra: bytes) -> None:
    with pytest.raises(CodesError, match="length: expected 672 bytes"):
        Codes.from_bytes(samples().to_bytes() + extra)


def test_random_bytes_are_refused() -> None:
    generator = random.Random(0)
    for _ in range(3000):
        with pytest.raises(CodesError):
            Codes.from_bytes(generator.randbytes(generator.randrange(200)))


def test_random_headers_with_a_right_checksum_are_refused_or_read_whole() -> None:
    """Past magic, version and checksum, every field is random: the reader raises CodesError or round-trips."""
    generator = random.Random(1)
    parsed = 0
    for _ in range(20_000):
        small = [generator.choice([0, 1, 1, 2, 3, 8, 32, 33]) for _ in range(5)]
        height, width, bits, views, iterations = small
        flags = generator.choice([0, 0, 0, 1, 2, 128])
        header = struct.pack("<4sBBH8sHHII", b"JC3D", 1, flags, iterations, bytes(8), height, width, bits, views)
        size = iterations * views * -(-bits // 8) + generator.choice([0, 0, 0, 1])
        data = sealed(header + generator.choice([bytes(size), generator.randbytes(size)]))
        try:
            codes = Codes.from_bytes(data)
        except CodesError:
            continue
        parsed += 1
        assert codes.to_bytes() == data
    assert parsed > 100


@pytest.mark.parametrize(
    ("offset", "replacement", "message"),
    [
        (0, b"PK\3\4", r"magic at byte 0: expected b'JC3D', got b'PK\\x03\\x04': not a .jc3d file"),
        (4, b"\2", "version at byte 4: expected 1, got 2"),
        (4, b"\0", "version at byte 4: expected 1, got 0"),
        (5, b"\2", "flags at byte 5: expected only bit 0 used, got 0x02"),
        (5, b"\1", "code_bits at byte 20: expected a multiple of 32 for float codes, got 12"),
        (6, b"\0\0", "iterations at byte 6: expected at least 1, got 0"),
        (16, b"\0\0", "image_height at byte 16: expected at least 1, got 0"),
        (18, b"\0\0", "image_width at byte 18: expected at least 1, got 0"),
        (20, bytes(4), "code_bits at byte 20: expected at least 1, got 0"),
        (24, bytes(4), "views at byte 24: expected at least 1, got 0"),
        (24, struct.pack("<I", 2**31), "length: expected 4294967328 bytes .* got 36"),
        (20, b"\xff" * 8, "length: expected 2305843008676823072 bytes .* got 36"),
        (31, b"\x01", "padding at byte 31: expected the last 4 bits 0"),
    ],
)
def test_messages_say_what_and_where(offset: int, replacement: bytes, message: str) -> None:
    codes = samples(views=2, bits=12)
    with pytest.raises(CodesError, match=message):
        Codes.from_bytes(patched(codes, offset, replacement))


def test_not_a_number_in_a_file_is_refused() -> None:
    with pytest.raises(CodesError, match="number at byte 36: expected a finite float32"):
        Codes.from_bytes(patched(float_samples(), 36, struct.pack("<f", float("nan"))))


def test_load_reads_no_more_of_a_foreign_file_than_its_header(tmp_path: Path) -> None:
    path = tmp_path / "huge.jc3d"
    with open(path, "wb") as file:
        file.truncate(2**35)  # sparse: reading it whole would exhaust the memory
    with pytest.raises(CodesError, match="magic at byte 0"):
        Codes.load(path)


def test_load_reads_no_more_than_the_header_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "huge.jc3d"
    path.write_bytes(samples().to_bytes())
    with open(path, "r+b") as file:
        file.truncate(2**35)
    with pytest.raises(CodesError, match=r"length: expected 672 bytes .* got more"):
        Codes.load(path)


def test_the_beginning_of_a_file_gives_its_whole_iterations() -> None:
    codes = samples(views=3, bits=20, iterations=4)
    data = codes.to_bytes()
    each = 3 * 3
    for length in range(28 + each, len(data)):
        found = Codes.from_prefix(data[:length])
        whole = min((length - 28) // each, 4)
        assert found.codes == codes.truncate(whole)
        assert (found.total_iterations, found.missing_bytes) == (4, len(data) - length)
    assert Codes.from_prefix(data) == (codes, 4, 0)


def test_less_than_an_iteration_says_what_one_takes() -> None:
    data = samples(views=3, bits=20, iterations=4).to_bytes()
    with pytest.raises(CodesError, match="expected at least 37 bytes, which hold one of 4 iterations, got 36"):
        Codes.from_prefix(data[:36])
    with pytest.raises(CodesError, match="truncated"):
        Codes.from_prefix(data[:20])
    with pytest.raises(CodesError, match=r"not a \.jc3d file"):
        Codes.from_prefix(b"")


def test_a_whole_file_is_checked_whole() -> None:
    data = bytearray(samples(views=3, bits=20, iterations=4).to_bytes())
    data[30] ^= 0x10
    with pytest.raises(CodesError, match="checksum"):
        Codes.from_prefix(data)
    with pytest.raises(CodesError, match="length"):
        Codes.from_prefix(bytes(data) + b"x")
    padded = bytearray(samples(views=1, bits=20, iterations=4).to_bytes()[:-4])
    padded[30] |= 1
    with pytest.raises(CodesError, match="padding at byte 30"):
        Codes.from_prefix(padded)
