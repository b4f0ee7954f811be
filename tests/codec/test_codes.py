"""Codes as a value: sizes and ratios, parts of them, and files written whole or not at all."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sample_codes import FINGERPRINT, float_samples, samples

import jc3d.io.atomic
from jc3d.codec import Codes
from jc3d.errors import CodesError


@pytest.mark.parametrize("views", [1, 5, 200])
def test_implicit_384_costs_128_bytes_a_view_and_32_more(views: int) -> None:
    codes = samples(views)
    assert codes.payload_bytes == 128 * views
    assert len(codes.to_bytes()) == codes.num_bytes == 128 * views + 32
    assert codes.ratio_payload == 384
    assert codes.ratio_file == pytest.approx(views * 128 * 128 * 3 / (128 * views + 32))


def test_r2n2_codes_are_twelve_to_one() -> None:
    assert float_samples(views=3, numbers=1024).ratio_payload == 12


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
