"""JPEG 2000: its rates, its two back ends, and what of a codestream is header."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from classical_images import BACKENDS, needs_glymur, psnr, view

from jc3d.codec.classical import decode_image, encode_image, jpeg2000, jpeg2000_backends
from jc3d.errors import CodesError, MissingExtraError

Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize("backend", BACKENDS)
def test_jpeg2000_meets_384_to_1_by_its_payload_and_says_that_the_whole_does_not(backend: str) -> None:
    whole = encode_image(view(), ratio=384, backend=backend)
    assert not whole.met
    assert whole.target_bytes == 128 < whole.num_bytes
    assert whole.num_bytes == encode_image(view(), num_bytes=1, backend=backend).num_bytes, "not the smallest"
    payload = encode_image(view(), ratio=384, header_free=True, backend=backend)
    assert payload.met
    assert 120 <= payload.payload_bytes <= 128 < payload.num_bytes


@needs_glymur
@pytest.mark.parametrize("header_free", [False, True])
@pytest.mark.parametrize("ratio", [48, 96, 192])
@pytest.mark.parametrize("index", [1, 3, 5])
def test_the_back_ends_agree(index: int, ratio: int, header_free: bool) -> None:
    first, second = (
        encode_image(view(index), ratio=ratio, header_free=header_free, backend=name) for name in ("glymur", "pillow")
    )
    assert first.met
    assert second.met
    assert psnr(view(index), first.decode()) == pytest.approx(psnr(view(index), second.decode()), abs=0.5)
    assert first.header_bytes == second.header_bytes


@pytest.mark.parametrize("backend", BACKENDS)
def test_jpeg2000_is_irreversible_with_the_colour_transform_and_six_resolutions(backend: str) -> None:
    data = encode_image(view(), ratio=48, backend=backend).data
    coding = data.index(b"\xff\x52\x00\x0c")
    layers, colour_transform, levels, _, _, _, wavelet = struct.unpack_from(">H6B", data, coding + 6)
    assert (layers, colour_transform, levels, wavelet) == (1, 1, 5, 0)
    assert psnr(view(), decode_image(data)) > 39  # 5/3 without the transform stays below 32


def test_auto_takes_the_first_back_end_that_is_available() -> None:
    backends = jpeg2000_backends()
    assert list(backends) == ["glymur", "pillow"]
    first = next(backend for backend in backends.values() if backend.available)
    assert encode_image(view(), ratio=48).library == first.library
    for backend in backends.values():
        assert (backend.library is None) == (not backend.available) == (backend.reason is not None)


def test_without_glymur_pillow_is_used_and_the_reason_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "glymur", None)
    jpeg2000._glymur_library.cache_clear()
    try:
        assert encode_image(view(), ratio=48).library.startswith("Pillow")
        reason = jpeg2000_backends()["glymur"].reason
        assert reason is not None
        assert "pip install 'jc3d[jpeg2000]'" in reason
        with pytest.raises(MissingExtraError, match=r"jc3d\[jpeg2000\]"):
            encode_image(view(), ratio=48, backend="glymur")
    finally:
        jpeg2000._glymur_library.cache_clear()


def test_without_libopenjp2_pillow_is_used_and_the_reason_kept(tmp_path: Path) -> None:
    pytest.importorskip("glymur")
    (tmp_path / "glymur").mkdir()
    (tmp_path / "glymur" / "glymurrc").write_text(f"[library]\nopenjp2 = {tmp_path}/nothing.so\n")
    script = """
import numpy as np
from jc3d.codec.classical import encode_image, jpeg2000_backends
image = np.zeros((8, 8, 3), np.uint8)
print(encode_image(image, ratio=1).library)
print(jpeg2000_backends()["glymur"].reason)
try:
    encode_image(image, ratio=1, backend="glymur")
except ImportError as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"XDG_CONFIG_HOME": str(tmp_path), "PYTHONPATH": ":".join(path for path in sys.path if path)},
    )
    used, reason, error = done.stdout.splitlines()
    assert used.startswith("Pillow")
    assert reason.startswith("glymur finds no libopenjp2: apt install libopenjp2-7")
    assert error == f"MissingExtraError {reason}"


@pytest.mark.parametrize("backend", BACKENDS)
def test_header_bytes_of_jpeg2000_are_those_of_its_segments(backend: str) -> None:
    compressed = encode_image(view(), ratio=48, backend=backend)
    segments = {
        "SOC": 2,
        "SIZ": 2 + 38 + 3 * 3,  # three components
        "COD": 2 + 12,
        "QCD": 2 + 3 + 2 * 16,  # a step of two bytes for each of 3 · 5 + 1 subbands
        "SOT": 12,
        "SOD": 2,
        "EOC": 2,
    }
    assert compressed.header_bytes == sum(segments.values()) == 118
    start = compressed.data.index(b"\xff\x93") + 2
    assert compressed.payload_bytes == len(compressed.data[start:-2])
    assert b"OpenJPEG" not in compressed.data
    assert compressed.data.endswith(b"\xff\xd9")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:4] + b"\0\1" + data[6:], r"JPEG 2000 at byte 4: expected a segment of at least 2"),
        (lambda data: data[:8] + b"\xff\xff" + data[10:], r"JPEG 2000 at byte 8: expected 1 to \d+ pixels"),
        (lambda data: data[:-1] + b"\0", r"JPEG 2000 at byte \d+: expected marker 0xffd9, got 0xff00"),
        (lambda data: data[:24] + b"\0\0\0\1" + data[28:], r"at byte \d+: expected one tile"),
    ],
)
def test_damage_is_named_with_its_place(damage: Damage, message: str) -> None:
    with pytest.raises(CodesError, match=message):
        decode_image(damage(encode_image(view(), "jpeg2000", num_bytes=700).data))
