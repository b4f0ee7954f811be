import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from jc3d.errors import ImageError
from jc3d.io.images import load_view, load_views, to_uint8
from jc3d.io.limits import MAX_PIXELS


def picture(height=128, width=128, channels=3, seed=0):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes of data do not hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


def test_every_kind_of_item_gives_the_same_view(tmp_path: Path):
    pixels = picture()
    Image.fromarray(pixels).save(tmp_path / "view.png")
    expected = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255.0
    items = [
        tmp_path / "view.png",
        str(tmp_path / "view.png"),
        Image.fromarray(pixels),
        pixels,
        pixels.astype(np.uint16) * 257,
        (pixels / 255.0).astype(np.float32),
        torch.from_numpy(pixels).permute(2, 0, 1),
        torch.from_numpy(pixels),  # (H, W, 3): only one order is possible
        pixels.transpose(2, 0, 1),
        expected,
        expected.double(),
    ]
    views = load_views(items)
    assert views.shape == (len(items), 3, 128, 128)
    assert views.dtype == torch.float32
    for view in views:
        assert torch.equal(view, expected)
    assert torch.equal(to_uint8(views[0]), torch.from_numpy(pixels).permute(2, 0, 1))


@pytest.mark.parametrize("wrap", [np.asarray, torch.from_numpy])
def test_one_view_and_four_dimensions(wrap):
    batch = np.stack([picture(seed=seed).transpose(2, 0, 1) for seed in range(3)])
    assert torch.equal(load_views(wrap(batch)), torch.from_numpy(batch) / 255.0)
    assert torch.equal(load_views(wrap(batch[1])), torch.from_numpy(batch[1:2]) / 255.0)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBX", "CMYK", "YCbCr"])
def test_modes_without_alpha_become_rgb(mode: str):
    image = Image.fromarray(picture()).convert(mode)
    expected = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1) / 255.0
    assert torch.equal(load_view(image), expected)


def test_grey_has_three_equal_channels(tmp_path: Path):
    grey = picture(channels=1)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    view = load_view(tmp_path / "grey.png")
    assert torch.equal(view, (torch.from_numpy(grey) / 255.0).expand(3, -1, -1))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_alpha_is_composited_on_white(tmp_path: Path, mode: str):
    image = Image.new("RGBA", (128, 128), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 64, 128))  # transparent black on the left
    image.paste((0, 0, 0, 51), (64, 0, 128, 64))  # a fifth of black at the top right
    view = load_view(image.convert(mode))
    assert (view[:, :, :64] == 1.0).all()
    assert view[:, :64, 64:].numpy() == pytest.approx(0.8)
    assert (view[:, 64:, 64:] == 0.0).all()
    if mode != "PA":
        image.convert(mode).save(tmp_path / "view.png")
        assert torch.equal(load_view(tmp_path / "view.png"), view)


def test_palette_with_a_transparent_entry(tmp_path: Path):
    image = Image.new("P", (128, 128), 1)
    image.putpalette([10, 20, 30, 0, 255, 0])
    image.paste(0, (0, 0, 128, 64))
    image.save(tmp_path / "view.png", transparency=0)
    view = load_view(tmp_path / "view.png")
    assert (view[:, :64] == 1.0).all()
    assert view[:, 100, 100].tolist() == [0.0, 1.0, 0.0]


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path):
    ramp = np.linspace(0, 65535, 128 * 128).astype(np.uint16).reshape(128, 128)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    assert Image.open(tmp_path / "deep.png").mode == "I;16"
    view = load_view(tmp_path / "deep.png")
    assert view.numpy() == pytest.approx(np.broadcast_to(ramp / 65535.0, (3, 128, 128)), abs=1e-7)
    assert torch.equal(load_view(Image.fromarray(ramp.astype(np.int32))), view)  # mode I


@pytest.mark.parametrize(("height", "width"), [(127, 137), (137, 127), (64, 128), (128, 1), (300, 20)])
def test_other_shapes_are_padded_with_white_to_a_centred_square(height: int, width: int):
    view = load_view(np.zeros((height, width, 3), dtype=np.uint8))
    assert view.shape == (3, 128, 128)
    ink = 1.0 - view[0]
    side = max(height, width)
    assert float(ink.sum()) == pytest.approx(128 * 128 * height * width / side**2, rel=0.03)
    position = torch.arange(128) + 0.5
    middle = float((ink.sum(dim=0) * position).sum() / ink.sum()), float((ink.sum(dim=1) * position).sum() / ink.sum())
    assert middle == pytest.approx((64.0, 64.0), abs=64 / side + 0.01)  # the odd pixel goes right or below


def test_resizing_averages_and_stays_in_range():
    board = np.indices((1024, 1024)).sum(axis=0) % 2 * np.uint8(255)
    view = load_view(board.astype(np.uint8))
    assert view.numpy() == pytest.approx(0.5, abs=0.02)  # a single pixel of each block would be 0 or 1
    edge = np.zeros((200, 200), dtype=np.float32)
    edge[:, 100:] = 1.0
    view = load_view(edge)
    assert float(view.min()) >= 0.0
    assert float(view.max()) <= 1.0


def test_large_images_are_averaged_over_blocks():
    half = np.zeros((4200, 4200), dtype=np.uint8)
    half[:, 2100:] = 255
    view = load_view(half)
    assert (view[:, :, :62] < 1e-3).all()
    assert (view[:, :, 66:] > 1 - 1e-3).all()


def test_orientation_tag_is_obeyed(tmp_path: Path):
    pixels = np.zeros((128, 128, 3), dtype=np.uint8)
    pixels[:40] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "photo.png", exif=exif)
    view = load_view(tmp_path / "photo.png")
    assert (view[:, -40:] == 1.0).all()
    assert (view[:, :-40] == 0.0).all()


def test_zero_views():
    with pytest.raises(ImageError, match="views: expected at least one, got none"):
        load_views([])
    with pytest.raises(ImageError, match="views: expected at least one, got none"):
        load_views(torch.empty(0, 3, 128, 128))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.png", b"", "got an empty one"),
        ("text.png", b"just some words, no picture" * 20, "expected an image .*, got something else"),
        ("page.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "expected an image"),
        ("huge.png", png_claiming(100_000, 100_000), "expected at most 67108864 pixels, got"),
        ("large.png", png_claiming(8193, 8193), "expected at most 67108864 pixels, got 8193x8193"),
        ("thin.png", png_claiming(2_000_000_000, 1), "expected at most 67108864 pixels, got"),
        ("short.png", png_claiming(128, 128), "expected a whole image"),
    ],
)
def test_bad_files_are_named_with_the_reason(tmp_path: Path, name: str, content: bytes, message: str):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as caught:
        load_views([picture(), path])
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_truncated_files(tmp_path: Path, suffix: str, share: float):
    path = tmp_path / f"view{suffix}"
    Image.fromarray(picture()).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageError, match="expected") as caught:
        load_view(path)
    assert str(path) in str(caught.value)


def test_flipped_bytes_never_raise_anything_else(tmp_path: Path):
    path = tmp_path / "view.png"
    Image.fromarray(picture(32, 32)).save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.integers(0, min(len(whole), 400))] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(damaged))
        try:
            view = load_view(path)
            assert torch.isfinite(view).all()
        except ImageError:
            refused += 1
    assert refused > 0


def test_missing_file_and_folder(tmp_path: Path):
    with pytest.raises(ImageError, match=r"none\.png: expected an image file, got nothing there"):
        load_view(tmp_path / "none.png")
    with pytest.raises(ImageError, match="got a folder"):
        load_view(tmp_path)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (torch.full((3, 128, 128), float("nan")), "view 0: expected floats in .0, 1., got nan"),
        (np.array([[0.5, np.nan], [0.1, 0.2]]), "expected floats in .0, 1., got nan"),
        (torch.full((3, 8, 8), float("inf")), "expected floats in .0, 1., got inf"),
        (np.full((8, 8, 3), 1.5, dtype=np.float32), "expected floats in .0, 1., got 1.5 to 1.5"),
        (np.full((8, 8, 3), -0.01), "expected floats in .0, 1., got -0.01"),
        (np.zeros((8, 8, 3), dtype=np.int64), "expected uint8, uint16, bool or floats, got int64"),
        (np.zeros((8, 8, 3), dtype=np.complex64), "expected uint8, uint16, bool or floats, got complex64"),
        (np.zeros((8, 8, 7), dtype=np.uint8), "expected .H, W. or .H, W, C. with 1 to 4 channels, got shape .8, 8, 7."),
        (torch.zeros(8), "expected .H, W. or .C, H, W. with 1 to 4 channels, got shape .8,."),
        (np.zeros((0, 8, 3), dtype=np.uint8), "expected at least one pixel"),
        (torch.zeros(3, 8, 0), "expected at least one pixel"),
        (Image.new("F", (8, 8), 3.0), "expected floats in .0, 1., got 3"),
        (Image.new("I", (8, 8), -5), "expected 16-bit values, got -5"),
    ],
)
def test_bad_pixels_are_refused(item, message: str):
    with pytest.raises(ImageError, match=message):
        load_views([item])


def test_an_array_above_the_limit_is_refused_before_it_is_converted():
    large = np.broadcast_to(np.uint8(0), (MAX_PIXELS + 1, 1))  # one byte, whatever its shape
    with pytest.raises(ImageError, match="expected at most 67108864 pixels"):
        load_view(large)


def test_something_else_is_refused():
    with pytest.raises(ImageError, match="view 0: expected a path, PIL image, array or tensor, got int"):
        load_views([3])


@pytest.mark.skipif("JC3D_DATA" not in os.environ, reason="JC3D_DATA does not name the folder of real inputs")
def test_photographs_load():
    paths = sorted((Path(os.environ["JC3D_DATA"]) / "armchair").glob("*.png"))
    views = load_views(paths)
    assert views.shape == (len(paths), 3, 128, 128)
    assert len(paths) == 3
    assert (views[:, :, 0, 0] > 0.95).all()  # white background
    assert (views.amin(dim=(1, 2, 3)) < 0.5).all()
