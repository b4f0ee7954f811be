"""Codes and the .jc3d wire format: exact round trips, and a reader that refuses everything else."""

from __future__ import annotations

import random
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import jc3d.io.atomic
from jc3d.codec import crc
from jc3d.codec.codes import Codes
from jc3d.errors import CodesError

FINGERPRINT = bytes(range(8))


def samples(views: int = 5, bits: int = 1024, iterations: int = 1, seed: int = 0) -> Codes:
    signs = torch.randint(0, 2, (views, iterations * bits), generator=torch.Generator().manual_seed(seed)) * 2.0 - 1
    return Codes.from_tensor(signs, fingerprint=FINGERPRINT, iterations=iterations)


def float_samples(views: int = 2, numbers: int = 4) -> Codes:
    values = torch.randn((views, numbers), generator=torch.Generator().manual_seed(0))
    return Codes.from_tensor(values, fingerprint=FINGERPRINT, binary=False)


def sealed(body: bytes) -> bytes:
    """A file whose checksum is right, whatever its header says."""
    return body + struct.pack("<I", crc.crc32c(body))


def patched(codes: Codes, offset: int, replacement: bytes) -> bytes:
    body = bytearray(codes.to_bytes()[:-4])
    body[offset : offset + len(replacement)] = replacement
    return sealed(bytes(body))


# The format ----------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("views", [1, 5, 200])
def test_implicit_384_costs_128_bytes_a_view_and_32_more(views: int) -> None:
    codes = samples(views)
    assert codes.payload_bytes == 128 * views
    assert len(codes.to_bytes()) == codes.num_bytes == 128 * views + 32
    assert codes.ratio_payload == 384
    assert codes.ratio_file == pytest.approx(views * 128 * 128 * 3 / (128 * views + 32))


def test_floats_cost_four_bytes_each_and_are_little_endian() -> None:
    codes = Codes.from_tensor(torch.tensor([[1.5, -2.0]]), fingerprint=FINGERPRINT, binary=False)
    assert codes.to_bytes()[5] == 1  # flags
    assert codes.code_bits == 64
    assert codes.to_bytes()[28:36] == struct.pack("<ff", 1.5, -2.0)


def test_r2n2_codes_are_twelve_to_one() -> None:
    assert float_samples(views=3, numbers=1024).ratio_payload == 12


@pytest.mark.parametrize("bits", [1, 7, 8, 9, 820, 1024])
@pytest.mark.parametrize("iterations", [1, 3])
def test_round_trip_of_bits(bits: int, iterations: int) -> None:
    signs = torch.randint(0, 2, (4, iterations * bits), generator=torch.Generator().manual_seed(bits)) * 2.0 - 1
    codes = Codes.from_tensor(signs, fingerprint=FINGERPRINT, iterations=iterations)
    read = Codes.from_bytes(codes.to_bytes())
    assert read == codes
    assert hash(read) == hash(codes)
    assert (read.num_views, read.iterations, read.code_bits) == (4, iterations, bits)
    assert torch.equal(read.to_tensor(), signs)


def test_round_trip_of_floats_is_bit_exact() -> None:
    values = torch.tensor([[0.0, -0.0, 1e-45, 3.4e38], [1 / 3, -1.0, 2.0, 1e-3]])
    codes = Codes.from_tensor(values, fingerprint=FINGERPRINT, binary=False)
    assert torch.equal(Codes.from_bytes(codes.to_bytes()).to_tensor().view(torch.int32), values.view(torch.int32))


def test_bits_agree_with_numpy_packbits() -> None:
    signs = torch.randint(0, 2, (3, 37), generator=torch.Generator().manual_seed(1)) * 2.0 - 1
    codes = Codes.from_tensor(signs, fingerprint=FINGERPRINT)
    assert np.array_equal(codes.bits[0], np.packbits(signs.numpy() > 0, axis=-1))


def test_to_tensor_takes_a_dtype() -> None:
    assert samples().to_tensor(torch.bfloat16).dtype == torch.bfloat16
    assert float_samples().to_tensor(torch.float64).dtype == torch.float64


def test_a_prefix_of_the_payload_is_the_lower_rate_code() -> None:
    codes = samples(views=3, bits=24, iterations=4)
    lower = codes.truncate(2)
    assert lower.iterations == 2
    assert codes.to_bytes()[28:].startswith(lower.to_bytes()[28:-4])
    assert torch.equal(lower.to_tensor(), codes.to_tensor()[:, : 2 * 24])
    with pytest.raises(CodesError, match="iterations: expected 1 to 4, got 5"):
        codes.truncate(5)
    with pytest.raises(CodesError, match="got 0"):
        codes.truncate(0)


def test_join_puts_views_one_after_another() -> None:
    codes = samples(views=3, iterations=2)
    parts = [replace(codes, bits=codes.bits[:, :1]), replace(codes, bits=codes.bits[:, 1:])]
    assert Codes.join(parts) == codes
    with pytest.raises(CodesError, match="parts: expected codes of one model"):
        Codes.join([codes, replace(codes, fingerprint=bytes(8))])
    with pytest.raises(CodesError, match="parts: expected at least one"):
        Codes.join([])


def test_codes_are_immutable_and_own_their_bits() -> None:
    bits = np.zeros((1, 1, 1), np.uint8)
    codes = Codes(bits, 8, (128, 128), FINGERPRINT)
    bits[:] = 255
    assert codes.bits.sum() == 0
    with pytest.raises(ValueError, match="read-only"):
        codes.bits[0, 0, 0] = 1
    data = bytearray(samples().to_bytes())
    read = Codes.from_bytes(data)
    data[:] = bytes(len(data))
    assert read == samples()


def test_equality_sees_every_field() -> None:
    codes = samples()
    assert codes != replace(codes, fingerprint=bytes(8))
    assert codes != replace(codes, image_size=(64, 128))
    assert codes != samples(seed=1)
    assert codes != "codes"


def test_repr_is_one_line_without_the_bits() -> None:
    assert repr(samples()) == "Codes(5 views x 1 x 1024 bits, images 128x128, model 0001020304050607)"


# Making codes from bad values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(0, 8),
        torch.ones(2, 0),
        torch.ones(8),
        torch.ones(1, 2, 8),
        torch.zeros(1, 8),
        torch.full((1, 8), float("nan")),
        torch.tensor([[1.0, -1.0, 0.5]]),
    ],
    ids=["zero views", "zero bits", "1-D", "3-D", "zeros", "NaN", "fraction"],
)
def test_from_tensor_refuses(tensor: torch.Tensor) -> None:
    with pytest.raises(CodesError, match="codes: expected"):
        Codes.from_tensor(tensor, fingerprint=FINGERPRINT)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_float_codes_must_be_finite(value: float) -> None:
    with pytest.raises(CodesError, match="number at byte 32: expected a finite float32"):
        Codes.from_tensor(torch.tensor([[1.0, value]]), fingerprint=FINGERPRINT, binary=False)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("code_bits", 0, "code_bits: expected 1 to"),
        ("code_bits", 2**32, "code_bits: expected 1 to"),
        ("code_bits", 9, r"bits: expected uint8 \(iterations, views, 2\), got uint8 \(1, 1, 1\)"),
        ("image_size", (0, 128), "image_size: expected 1 to"),
        ("image_size", (128, 65536), "image_size: expected 1 to"),
        ("image_size", (128,), "image_size: expected"),
        ("fingerprint", b"1234567", "fingerprint: expected 8 bytes"),
        ("bits", np.zeros((1, 1, 1), np.int8), "bits: expected uint8"),
        ("bits", np.zeros((1, 1), np.uint8), "bits: expected uint8"),
        ("bits", np.zeros((0, 1, 1), np.uint8), "iterations: expected 1 to"),
        ("bits", np.zeros((1, 0, 1), np.uint8), "views: expected 1 to"),
        ("bits", [[[0]]], "bits: expected uint8 .* got list"),
        ("binary", False, "code_bits: expected a multiple of 32"),
    ],
)
def test_constructor_refuses(field: str, value: object, message: str) -> None:
    good = {"bits": np.zeros((1, 1, 1), np.uint8), "code_bits": 8, "image_size": (128, 128), "fingerprint": FINGERPRINT}
    Codes(**good)
    with pytest.raises(CodesError, match=message):
        Codes(**{**good, field: value})


# Reading is total ----------------------------------------------------------------------------------------------------


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


# Files ---------------------------------------------------------------------------------------------------------------


def test_save_and_load(tmp_path: Path) -> None:
    codes = samples()
    codes.save(tmp_path / "a.jc3d")
    assert (tmp_path / "a.jc3d").read_bytes() == codes.to_bytes()
    assert Codes.load(tmp_path / "a.jc3d") == codes
    assert Codes.load(str(tmp_path / "a.jc3d")) == codes


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:24] + struct.pack("<I", 2**31) + data[28:],
        lambda data: b"\x89PNG" + bytes(100),
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
    ],
    ids=["empty", "header cut", "cut", "longer", "2**31 views", "png", "flipped"],
)
def test_load_refuses_and_names_the_file(damage: object, tmp_path: Path) -> None:
    path = tmp_path / "bad.jc3d"
    path.write_bytes(damage(samples().to_bytes()))
    with pytest.raises(CodesError, match=r"bad\.jc3d: .*expected"):
        Codes.load(path)


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


def test_load_of_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Codes.load(tmp_path / "none.jc3d")


def test_an_interrupted_save_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jc3d"
    samples().save(path)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jc3d.io.atomic.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        samples(seed=1).save(path)
    assert list(tmp_path.iterdir()) == [path]
    assert Codes.load(path) == samples()


# What has arrived -----------------------------------------------------------------------------------------------------


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
