"""Models that decode images, by way of the codec: rates, budgets, sizes, files of which a part has arrived."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from jc3d import infer
from jc3d.codec import Codes
from jc3d.errors import CodesError, ImageError
from jc3d.infer import Codec
from jc3d.io.images import load_views
from jc3d.models import create, save_weights


def views(count: int, height: int = 128, width: int = 128) -> Tensor:
    """(count, 3, height, width) uint8, smooth."""
    coarse = torch.rand(count, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    smooth = nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    return (smooth * 255).round().byte()


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(create("rnn-small", seed=1))


@pytest.fixture(scope="module", params=["sequential", "direct", "direct-recurrent"])
def joint(request: pytest.FixtureRequest) -> Codec:
    return Codec(create(request.param, seed=1))


# Rates ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bits"), [("rnn-small", 1024), ("rnn-small-paper", 1024), ("rnn-original-paper", 2048)]
)
def test_sizes_counted_from_files(name: str, bits: int, tmp_path: Path) -> None:
    """1 iteration of *small* is 384:1 and 8 are 48:1; *original* 192:1 to 24:1."""
    codec, view = Codec(create(name)), views(1)
    for iterations in (1, 8):
        codec.encode(view, iterations=iterations).save(tmp_path / "codes.jc3d")
        payload = (tmp_path / "codes.jc3d").stat().st_size - 32
        assert payload == iterations * bits // 8
        assert 128 * 128 * 3 / payload == 128 * 128 * 24 / bits / iterations


def test_a_budget_is_kept_and_used(codec: Codec) -> None:
    for budget in (32 + 2 * 128, 32 + 2 * 128 + 255, 32 + 5 * 256, 10**6):
        codes = codec.encode(views(2), num_bytes=budget)
        assert len(codes.to_bytes()) <= budget
        assert codes.iterations == min((budget - 32) // 256, 8)
    both = codec.encode(views(2), iterations=2, num_bytes=10**6)
    assert both.iterations == 2


def test_bad_rates(codec: Codec) -> None:
    with pytest.raises(CodesError, match=r"num_bytes: expected at least 288 \(one iteration of 2 views of 128x128"):
        codec.encode(views(2), num_bytes=287)
    for iterations in (0, 9, -1):
        with pytest.raises(CodesError, match=f"iterations: expected 1 to 8 with rnn-small, got {iterations}"):
            codec.encode(views(1), iterations=iterations)
    for name in ("iterations", "num_bytes"):
        with pytest.raises(CodesError, match=f"{name}: expected a whole number, got 1.5"):
            codec.encode(views(1), **{name: 1.5})
    with pytest.raises(CodesError, match=r"image_size: expected \(height, width\), got \(128,\)"):
        codec.image_stream((128,))
    one_code = Codec(create("implicit-384"))
    with pytest.raises(CodesError, match="iterations: expected 1 to 1 with implicit-384, got 2"):
        one_code.encode(views(1), iterations=2)
    with pytest.raises(CodesError, match="num_bytes: expected at least 160"):
        one_code.encode(views(1), num_bytes=159)
    assert one_code.encode(views(1), num_bytes=160).num_bytes == 160


# Images --------------------------------------------------------------------------------------------------------------


def test_every_prefix_decodes_to_the_true_size(codec: Codec) -> None:
    codes = codec.encode(views(2, 100, 77))
    assert codes.image_size == (100, 77)
    before = None
    for iterations in range(1, 9):
        images = codec.decode(codes.truncate(iterations))
        assert images.shape == (2, 3, 100, 77)
        assert before is None or not torch.equal(images, before)
        before = images


def test_codes_bytes_and_paths_decode_alike(codec: Codec, tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", codec.model, {})
    codec = infer.load(tmp_path / "w.safetensors")
    codes = codec.encode(views(1, 32, 32), iterations=2)
    codes.save(tmp_path / "c.jc3d")
    expected = codec.decode(codes)
    assert torch.equal(codec.decode(codes.to_bytes()), expected)
    assert torch.equal(codec.decode(tmp_path / "c.jc3d"), expected)
    assert torch.equal(infer.decode(codes, weights=tmp_path / "w.safetensors"), expected)
    with pytest.raises(CodesError, match="no packaged model has their fingerprint"):
        infer.decode(codes)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "I;16"])
def test_images_of_any_kind(codec: Codec, mode: str, tmp_path: Path) -> None:
    grey = views(1, 40, 50)[0, 0].numpy()
    if mode == "I;16":
        Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "image.png")
    else:
        Image.fromarray(grey, "L").convert("RGBA" if mode == "RGBA" else "L").convert(mode).save(tmp_path / "image.png")
    codes = codec.encode(tmp_path / "image.png", iterations=1)
    same = torch.from_numpy(grey).expand(3, -1, -1)
    assert codes == codec.encode(same, iterations=1)
    assert codec.decode(codes).shape == (1, 3, 40, 50)


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (400, 15)])
def test_too_small(codec: Codec, size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match=f"expected at least 16x16 pixels, got {size[0]}x{size[1]}"):
        codec.encode(views(1, *size))


def test_a_file_that_is_too_small_is_named(codec: Codec, tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    Image.new("RGB", (8, 20)).save(path)
    for images in (path, [path]):
        with pytest.raises(ImageError, match=r"small.png: expected at least 16x16 pixels, got 20x8"):
            codec.encode(images)


def test_an_image_with_a_side_that_no_file_can_say(codec: Codec) -> None:
    with pytest.raises(ImageError, match="expected at most 65535 pixels a side, got 16x70000"):
        codec.encode(torch.zeros(3, 16, 70000, dtype=torch.uint8))


def test_views_of_two_sizes(codec: Codec) -> None:
    with pytest.raises(ImageError, match=r"view 1: expected 32x48 pixels \(height x width\) as view 0, got 48x32"):
        codec.encode([views(1, 32, 48)[0], views(1, 48, 32)[0]])


def test_codes_that_do_not_fit_their_image(codec: Codec) -> None:
    codes = codec.encode(views(1, 64, 64), iterations=1)
    with pytest.raises(CodesError, match="code_bits"):
        codec.decode(replace(codes, image_size=(64, 80)))
    with pytest.raises(CodesError, match="image_size: expected at least 16x16 pixels, got 8x64"):
        codec.decode(replace(codes, image_size=(8, 64)))
    with pytest.raises(CodesError, match="image_size: expected at most 67108864 pixels, got 65535x65535"):
        codec.decode(replace(codes, image_size=(65535, 65535)))  # nothing is allocated by what a header claims
    many = replace(codes, bits=np.repeat(codes.bits, 9, axis=0))
    with pytest.raises(CodesError, match="iterations: expected 1 to 8, got 9"):
        codec.decode(many)


def test_who_can_do_what(codec: Codec) -> None:
    codes = codec.encode(views(1), iterations=1)
    with pytest.raises(CodesError, match="a model that reconstructs, got those of rnn-small"):
        codec.reconstruct(codes)
    implicit = Codec(create("implicit-384"))
    with pytest.raises(CodesError, match="a model that decodes images, got those of implicit-384"):
        implicit.decode(implicit.encode(views(1)))


def test_refinement_is_for_models_whose_bits_are_images(codec: Codec) -> None:
    small = views(1, 32, 32)
    assert codec.encode(small, iterations=1, refinement_steps=5).payload_bytes == 8
    with pytest.raises(CodesError, match="refinement_steps: expected 0 or more, got -1"):
        codec.encode(small, refinement_steps=-1)
    for name in ("direct", "implicit-384"):
        with pytest.raises(CodesError, match=f"refinement_steps: expected 0 with {name}"):
            Codec(create(name)).encode(views(1), refinement_steps=5)


# Joint models --------------------------------------------------------------------------------------------------------


def test_one_file_gives_images_and_a_grid(joint: Codec) -> None:
    codes = joint.encode(views(2), iterations=3)
    assert (codes.iterations, codes.num_views, codes.code_bits, codes.image_size) == (3, 2, 1024, (128, 128))
    received = Codes.from_bytes(codes.to_bytes())
    grid = joint.reconstruct(received)
    assert grid.shape == (32, 32, 32)
    assert torch.equal(joint.decode(received), joint.decode(codes))
    lower = joint.reconstruct(received.truncate(1))
    assert not torch.equal(grid, lower)


def test_a_lower_rate_is_the_code_of_fewer_iterations(joint: Codec) -> None:
    assert joint.encode(views(1), iterations=2) == joint.encode(views(1), iterations=4).truncate(2)


def test_views_one_after_another(joint: Codec) -> None:
    codes = joint.encode(views(3), iterations=2)
    stream = joint.stream()
    for view in range(3):
        stream.add(replace(codes, bits=codes.bits[:, view : view + 1]))
        assert stream.num_views == view + 1
    torch.testing.assert_close(stream.occupancy(), joint.reconstruct(codes), atol=1e-5, rtol=0)


def test_many_objects_of_different_rates_and_views(joint: Codec) -> None:
    batch = [joint.encode(views(count), iterations=rate) for count, rate in ((1, 2), (3, 1), (2, 3))]
    grids = Codec(joint.model, codes_at_once=4).reconstruct(batch)
    for grid, codes in zip(grids, batch, strict=True):
        torch.testing.assert_close(grid, joint.reconstruct(codes), atol=1e-5, rtol=0)


def test_joint_models_resize_as_those_that_only_reconstruct(joint: Codec) -> None:
    assert joint.encode(views(1, 64, 200), iterations=1).image_size == (128, 128)
    codes = joint.encode(views(1), iterations=1)
    with pytest.raises(CodesError, match=r"image_size: expected \(128, 128\), got \(128, 127\)"):
        joint.reconstruct(replace(codes, image_size=(128, 127)))


# Photographs ---------------------------------------------------------------------------------------------------------

DATA = os.environ.get("JC3D_DATA")


@pytest.mark.skipif(DATA is None, reason="JC3D_DATA is not set")
@pytest.mark.parametrize("folder", ["photos", "armchair"])
def test_photographs_decode_at_every_rate(folder: str) -> None:
    codec = infer.load("rnn-small")
    paths = sorted(path for path in (Path(str(DATA)) / folder).iterdir() if path.suffix in (".png", ".jpg"))
    assert paths
    for path in paths:
        codes = codec.encode(path)
        original = load_views(path, None)
        assert codes.image_size == tuple(original.shape[2:])
        errors = [float((codec.decode(codes.truncate(n)) - original).abs().mean()) for n in range(1, 9)]
        assert errors[7] < errors[0] < 0.2
