"""JPEG 2000, JPEG and WebP at a target size: sizes, qualities, back ends, and a reader that refuses damage."""

from __future__ import annotations

import io
import itertools
import random
import re
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, features

from jc3d.codec import classical
from jc3d.codec.classical import CODECS, CompressedImage, decode_image, encode_image, jpeg2000, jpeg2000_backends
from jc3d.codec.classical.search import by_quality, by_rate
from jc3d.codec.classical.stream import MAX_PIXELS, Stream, Target
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.errors import CodesError, ImageError, MissingExtraError

Pixels = NDArray[np.uint8]

_glymur = jpeg2000_backends()["glymur"]
needs_glymur = pytest.mark.skipif(not _glymur.available, reason=str(_glymur.reason))
WAYS = [
    pytest.param("jpeg2000", "glymur", marks=needs_glymur),
    ("jpeg2000", "pillow"),
    ("jpeg", "pillow"),
    ("webp", "pillow"),
]
BACKENDS = [pytest.param("glymur", marks=needs_glymur), "pillow"]


@cache
def view(index: int = 5) -> Pixels:
    views = ProceduralSource("test").get(index, 0, 1).views.numpy()
    return np.ascontiguousarray(views[0].transpose(1, 2, 0))


def noise(*shape: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def smooth(height: int, width: int) -> Pixels:
    """A picture with content at all scales but the finest."""
    small = Image.fromarray(noise(max(2, height // 32), max(2, width // 32), 3))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def psnr(image: Pixels, other: Pixels) -> float:
    error = np.mean((image.astype(np.float64) - other) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-10)))


def counted(compressed: CompressedImage) -> int:
    return compressed.payload_bytes if compressed.header_free else compressed.num_bytes


# Sizes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header_free", [False, True], ids=["whole", "payload"])
@pytest.mark.parametrize("num_bytes", [500, 777, 1024, 1500])
@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_a_target_in_bytes_is_met_and_used(codec: str, backend: str, num_bytes: int, header_free: bool) -> None:
    compressed = encode_image(view(), codec, num_bytes=num_bytes, header_free=header_free, backend=backend)
    assert compressed.met
    assert compressed.target_bytes == num_bytes
    assert 0.88 * num_bytes <= counted(compressed) <= num_bytes  # a step of quality is up to a tenth
    assert compressed.header_bytes + compressed.payload_bytes == compressed.num_bytes == len(compressed.data)
    assert compressed.decode().shape == (128, 128, 3)


@pytest.mark.parametrize("ratio", [48, 60.5, 96])
@pytest.mark.parametrize("index", [0, 2, 3])
@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_a_target_by_ratio_is_met(codec: str, backend: str, index: int, ratio: float) -> None:
    whole = encode_image(view(index), codec, ratio=ratio, backend=backend)
    assert whole.met == (whole.ratio_file >= ratio) == (whole.num_bytes <= 49152 // ratio)
    payload = encode_image(view(index), codec, ratio=ratio, header_free=True, backend=backend)
    assert payload.met
    assert payload.ratio_payload >= ratio
    assert whole.met or codec == "jpeg"


@pytest.mark.parametrize("backend", BACKENDS)
def test_jpeg2000_meets_384_to_1_by_its_payload_and_says_that_the_whole_does_not(backend: str) -> None:
    whole = encode_image(view(), ratio=384, backend=backend)
    assert not whole.met
    assert whole.target_bytes == 128 < whole.num_bytes
    assert whole.num_bytes == encode_image(view(), num_bytes=1, backend=backend).num_bytes, "not the smallest"
    payload = encode_image(view(), ratio=384, header_free=True, backend=backend)
    assert payload.met
    assert 120 <= payload.payload_bytes <= 128 < payload.num_bytes


@pytest.mark.parametrize("header_free", [False, True])
@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_a_size_below_the_smallest_is_said(codec: str, backend: str, header_free: bool) -> None:
    smallest = encode_image(view(), codec, num_bytes=1, header_free=header_free, backend=backend)
    assert not smallest.met
    again = encode_image(view(), codec, num_bytes=counted(smallest), header_free=header_free, backend=backend)
    assert again.met
    assert again.data == smallest.data
    assert psnr(view(), smallest.decode()) > 8  # a picture nevertheless


@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_a_larger_target_never_costs_quality(codec: str, backend: str) -> None:
    for index in (2, 5):
        sizes = range(460, 2000, 120)
        streams = [encode_image(view(index), codec, num_bytes=size, backend=backend) for size in sizes]
        qualities = [psnr(view(index), compressed.decode()) for compressed in streams]
        assert all(after > before - 0.3 for before, after in itertools.pairwise(qualities)), qualities
        assert qualities[-1] > qualities[0] + 8


@pytest.mark.parametrize(("codec", "least"), [("jpeg2000", 45), ("jpeg", 45), ("webp", 40)])
def test_more_bytes_than_needed_give_the_best_there_is(codec: str, least: float) -> None:
    best = encode_image(view(), codec, ratio=0.5)
    assert best.met
    assert best.data == encode_image(view(), codec, num_bytes=10**9).data
    assert psnr(view(), best.decode()) > least


@pytest.mark.parametrize("num_bytes", [20_000, 40_000])
@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_larger_images(codec: str, backend: str, num_bytes: int) -> None:
    image = smooth(768, 1025)
    compressed = encode_image(image, codec, num_bytes=num_bytes, backend=backend)
    assert compressed.met
    assert compressed.num_bytes > (0.998 if codec == "jpeg2000" else 0.9) * num_bytes
    assert psnr(image, compressed.decode()) > 25


@pytest.mark.parametrize("num_bytes", [1, 400, 100_000])
@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 7, 3), (2, 3), (5, 300, 3), (33, 7), (31, 32, 3)])
@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_small_and_grey_images(codec: str, backend: str, shape: tuple[int, ...], num_bytes: int) -> None:
    image = np.full(shape, 77, np.uint8)
    compressed = encode_image(image, codec, num_bytes=num_bytes, backend=backend)
    assert compressed.met == (compressed.num_bytes <= num_bytes)
    assert compressed.met or num_bytes == 1
    decoded = compressed.decode()
    assert decoded.dtype == np.uint8
    assert decoded.shape == shape
    assert np.abs(decoded.astype(int) - 77).max() <= 3
    assert decode_image(compressed.data).shape == ((*shape[:2], 3) if codec == "webp" else shape)


@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_incompressible_and_strided_images(codec: str, backend: str) -> None:
    image = noise(3, 64, 200).transpose(1, 2, 0)[:, ::2]
    compressed = encode_image(image, codec, num_bytes=10**6, backend=backend)
    assert compressed.met
    same = encode_image(np.ascontiguousarray(image), codec, num_bytes=10**6, backend=backend)
    assert same.data == compressed.data


# Back ends -----------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_the_library_is_recorded(codec: str, backend: str) -> None:
    name = {"jpeg2000": "OpenJPEG", "jpeg": "libjpeg", "webp": "libwebp"}[codec]
    library = encode_image(view(), codec, ratio=48, backend=backend).library
    assert re.fullmatch(rf"{backend} \d+\.\S+, {name}\S* \d+\.\S+", library, re.IGNORECASE), library


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


def test_a_pillow_without_a_codec_is_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode_image(view(), "webp", ratio=48).data
    monkeypatch.setattr(features, "check", lambda feature: False)
    with pytest.raises(MissingExtraError, match="Pillow was built without libwebp: pip install"):
        encode_image(view(), "webp", ratio=48)
    with pytest.raises(MissingExtraError, match="without libwebp"):
        decode_image(data)


# Headers -------------------------------------------------------------------------------------------------------------


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


def test_header_bytes_of_webp_are_the_container() -> None:
    for ratio in range(40, 60, 2):
        compressed = encode_image(view(), "webp", ratio=ratio)
        assert compressed.payload_bytes == struct.unpack_from("<I", compressed.data, 16)[0]
        assert compressed.header_bytes == 20 + compressed.payload_bytes % 2
    data = bytearray(compressed.data)  # libwebp's frames are even; other encoders' may be odd
    data[16:20] = struct.pack("<I", compressed.payload_bytes - 1)
    assert CODECS["webp"].parse(bytes(data)).header_bytes == 21


@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_pillow_reads_the_streams_and_they_say_their_size(codec: str, backend: str) -> None:
    image = smooth(40, 56)
    compressed = encode_image(image, codec, num_bytes=900, backend=backend)
    with Image.open(io.BytesIO(compressed.data)) as opened:
        assert np.array_equal(np.asarray(opened), compressed.decode())
    stream = CODECS[codec].parse(compressed.data)
    assert (stream.height, stream.width, stream.channels) == (40, 56, 3)
    assert stream.header_bytes == compressed.header_bytes


def test_repr_is_one_line_without_the_data() -> None:
    text = repr(encode_image(view(), ratio=48, backend="pillow"))
    assert "jpeg2000" in text
    assert len(text) < 250
    assert "\n" not in text


# Searches ------------------------------------------------------------------------------------------------------------


def stream_of(size: int) -> Stream:
    return Stream(bytes(size), 0, 1, 1, 1)


def test_by_quality_finds_the_last_that_fits_past_a_step_down() -> None:
    sizes = [50, 40, 60, 70, 90, 110, 95, 120, 130, 140, 150]
    assert len(by_quality(lambda quality: stream_of(sizes[quality]), range(11), Target(100, False)).data) == 95
    assert len(by_quality(lambda quality: stream_of(sizes[quality]), range(11), Target(1000, False)).data) == 150
    assert len(by_quality(lambda quality: stream_of(sizes[quality]), range(11), Target(45, False)).data) == 40
    assert len(by_quality(lambda quality: stream_of(sizes[quality]), range(11), Target(10, False)).data) == 40


def test_by_quality_gives_the_best_of_equally_small_streams() -> None:
    sizes = [40, 40, 40, 40, 60, 70, 80, 90]
    best = by_quality(lambda quality: Stream(bytes(sizes[quality]), 0, 1, 1, quality), range(8), Target(10, False))
    assert best.channels == 3  # stands for the quality


@pytest.mark.parametrize("off", [-40, -3, 0, 14, 60])
@pytest.mark.parametrize("step", [1, 7, 50])
def test_by_rate_corrects_what_the_encoder_misses(off: int, step: int) -> None:
    asked = []

    def encode(num_bytes: int) -> Stream:
        asked.append(num_bytes)
        return stream_of(max(30, min(5000, (num_bytes + off) // step * step)))

    for target in (100, 500, 3333, 10_000):
        asked.clear()
        size = len(by_rate(encode, 10_000, Target(target, False)).data)
        assert size <= target
        assert size > min(5000, target) - step - target // 1000
        assert len(asked) <= 17
        assert all(1 <= ask <= 10_000 for ask in asked)
    assert len(by_rate(encode, 10_000, Target(10, False)).data) == len(encode(1).data) >= 30  # none fits


# Bad arguments and damage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), r"image: expected uint8 \(H, W, 3\) or \(H, W\), got float32 \(4, 4, 3\)"),
        (np.zeros((4, 4, 4), np.uint8), r"got uint8 \(4, 4, 4\)"),
        (np.zeros((3, 4, 5), np.uint8), r"got uint8 \(3, 4, 5\)"),
        (np.zeros(4, np.uint8), r"got uint8 \(4,\)"),
        (np.zeros((0, 4, 3), np.uint8), r"image: expected 1 to \d+ pixels, got shape \(0, 4, 3\)"),
        (np.broadcast_to(np.uint8(0), (2, MAX_PIXELS)), r"image: expected 1 to \d+ pixels"),
        ([[0]], "image: expected a uint8 array, got list"),
    ],
)
def test_bad_images(image: Pixels, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        encode_image(image, num_bytes=100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "num_bytes, ratio: expected exactly one, got None and None"),
        ({"num_bytes": 5, "ratio": 2}, "expected exactly one, got 5 and 2"),
        ({"num_bytes": 0}, "num_bytes: expected at least 1, got 0"),
        ({"num_bytes": 1.5}, r"num_bytes: expected an integer, got 1\.5"),
        ({"ratio": 0}, "ratio: expected a finite number above 0, got 0"),
        ({"ratio": float("nan")}, "ratio: .* got nan"),
        ({"ratio": float("inf")}, "ratio: .* got inf"),
        ({"ratio": 2, "codec": "gif"}, "codec: expected one of jpeg2000, jpeg, webp, got 'gif'"),
        ({"ratio": 2, "backend": "kakadu"}, "backend: expected one of auto, glymur, pillow for jpeg2000, got 'kakadu'"),
        ({"ratio": 2, "codec": "jpeg", "backend": "glymur"}, "backend: expected one of auto, pillow for jpeg, got"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_image(view(), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(("codec", "side"), [("jpeg", 65500), ("webp", 16383)])
def test_a_side_that_the_format_cannot_hold(codec: str, side: int) -> None:
    assert encode_image(np.zeros((1, side), np.uint8), codec, ratio=1).met
    with pytest.raises(ImageError, match=f"image: expected at most {side} pixels a side"):
        encode_image(np.zeros((1, side + 1), np.uint8), codec, ratio=1)


def test_a_ratio_made_of_a_size_gives_that_size() -> None:
    for size in range(400, 700):
        ratio = 49152 / size
        assert classical.image_codec._target_bytes(49152, None, ratio) == size


@pytest.mark.parametrize("codec", CODECS)
def test_every_truncation_and_extension_is_refused(codec: str) -> None:
    data = encode_image(view(), codec, num_bytes=500).data
    for length in range(len(data)):
        with pytest.raises(CodesError, match="expected"):
            decode_image(data[:length])
    with pytest.raises(CodesError, match="at byte"):
        decode_image(data + b"\0")


@pytest.mark.parametrize("codec", CODECS)
def test_damage_raises_nothing_but_codes_errors(codec: str) -> None:
    data = encode_image(smooth(24, 20), codec, num_bytes=600).data
    header = CODECS[codec].parse(data).header_bytes
    rng, refused = random.Random(0), 0
    for round_ in range(1500):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(header if round_ % 2 else len(data))
            damaged[place] = rng.choice([rng.randrange(256), damaged[place] ^ 1 << rng.randrange(8), 0, 255])
        if rng.random() < 0.2:
            start = rng.randrange(len(damaged))
            del damaged[start : start + rng.randint(1, 20)]
        try:
            decoded = decode_image(damaged)
        except CodesError as error:
            assert "expected" in str(error)  # noqa: PT017 - most damage is not found
            refused += 1
        else:
            assert decoded.dtype == np.uint8
    assert 100 < refused < 1500


@pytest.mark.parametrize(
    ("codec", "damage", "message"),
    [
        (
            "jpeg2000",
            lambda data: data[:4] + b"\0\1" + data[6:],
            r"JPEG 2000 at byte 4: expected a segment of at least 2",
        ),
        ("jpeg2000", lambda data: data[:8] + b"\xff\xff" + data[10:], r"JPEG 2000 at byte 8: expected 1 to \d+ pixels"),
        ("jpeg2000", lambda data: data[:-1] + b"\0", r"JPEG 2000 at byte \d+: expected marker 0xffd9, got 0xff00"),
        ("jpeg2000", lambda data: data[:24] + b"\0\0\0\1" + data[28:], r"at byte \d+: expected one tile"),
        ("jpeg", lambda data: data[:2] + b"\xff\xc9" + data[4:], "JPEG at byte 2: expected tables, a frame or scan"),
        ("jpeg", lambda data: b"\xff\xd8\xff\xd9", "JPEG at byte 2: expected a frame and a scan before the end"),
        ("jpeg", lambda data: hand_made_jpeg()[:-4], "JPEG at byte 37: expected 2 bytes, got 0: truncated"),
        ("webp", lambda data: data[:4] + b"\0" + data[5:], "WebP at byte 4: expected a length of"),
        ("webp", lambda data: data[:12] + b"VP8X" + data[16:], "WebP at byte 12: expected b'VP8 '"),
        ("webp", lambda data: data[:23] + b"\0" + data[24:], "WebP at byte 23: expected start code 0x9d012a"),
        ("webp", lambda data: b"GIF89a", "data at byte 0: expected a stream of jpeg2000, jpeg, webp, got b'GIF8'"),
    ],
)
def test_damage_is_named_with_its_place(codec: str, damage: object, message: str) -> None:
    with pytest.raises(CodesError, match=message):
        decode_image(damage(encode_image(view(), codec, num_bytes=700).data))  # type: ignore[operator]
