"""Images at a target size by any of the classical codecs: sizes, qualities, and a reader that refuses damage."""

from __future__ import annotations

import io
import itertools
import random
import re

import numpy as np
import pytest
from classical_images import WAYS, Pixels, counted, noise, psnr, smooth, view
from PIL import Image

from jc3d.codec.classical import CODECS, decode_image, encode_image, image_codec
from jc3d.errors import CodesError, ImageError
from jc3d.io.limits import MAX_PIXELS


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


@pytest.mark.parametrize("header_free", [False, True])
@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_a_size_below_the_smallest_is_said(codec: str, backend: str, header_free: bool) -> None:
    smallest = encode_image(view(), codec, num_bytes=1, header_free=header_free, backend=backend)
    assert not smallest.met
    again = encode_image(view(), codec, num_bytes=counted(smallest), header_free=header_free, backend=backend)
    assert again.met
    assert again.data == smallest.data
    assert psnr(view(), smallest.decode()) > 8  # a picture nevertheless


@pytest.mark.parametrize("index", [2, 5])
@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_a_larger_target_never_costs_quality(codec: str, backend: str, index: int) -> None:
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


@pytest.mark.parametrize(("codec", "backend"), WAYS)
def test_the_library_is_recorded(codec: str, backend: str) -> None:
    name = {"jpeg2000": "OpenJPEG", "jpeg": "libjpeg", "webp": "libwebp"}[codec]
    library = encode_image(view(), codec, ratio=48, backend=backend).library
    assert re.fullmatch(rf"{backend} \d+\.\S+, {name}\S* \d+\.\S+", library, re.IGNORECASE), library


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
        assert image_codec._target_bytes(49152, None, ratio) == size


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


def test_streams_of_other_formats_are_refused() -> None:
    with pytest.raises(CodesError, match="data at byte 0: expected a stream of jpeg2000, jpeg, webp, got b'GIF8'"):
        decode_image(b"GIF89a")
