"""Pictures of the result pages, of a few objects."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import tiny_shards
import torch
from PIL import Image

from jc3d.data.sources.shards import ShardSource
from jc3d.infer import Codec, load
from jc3d.io.images import load_views
from jc3d.models import create
from jc3d.reproduce.pictures import GALLERY_WIDTH, first_views, gallery, photographs, reconstruction, strip

pytest.importorskip("matplotlib", reason="the viz extra is not installed")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ShardSource:
    """Three of each of the thirteen categories."""
    return ShardSource(tiny_shards.write(tmp_path_factory.mktemp("shards"), objects=39, views=2) / "val")


@pytest.fixture(scope="module")
def shape_codec() -> Codec:
    return Codec(create("r2n2-small"))


def size(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return image.size


def test_a_gallery_stops_at_two_of_each_category(
    source: ShardSource, shape_codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def picture(grid: object, views: object, truth: object, labels: tuple[str, str]) -> bytes:
        drawn.append(labels[0].split(",")[0])
        file = io.BytesIO()
        Image.new("RGB", (60, 30)).save(file, "PNG")
        return file.getvalue()

    monkeypatch.setattr("jc3d.reproduce.pictures.picture_png", picture)
    width, height = size(gallery(shape_codec, source, views=1))
    assert len(drawn) == 26
    assert all(drawn.count(name) == 2 for name in drawn)
    assert (width, height) == (GALLERY_WIDTH, round(7 * 30 * GALLERY_WIDTH / (4 * 60)))  # 26 tiles, four a row


def test_a_shape_of_photographs(shape_codec: Codec, tmp_path: Path) -> None:
    for index in range(2):
        Image.new("RGB", (50, 40), (200, 10 * index, 0)).save(tmp_path / f"{index}.png")
    (tmp_path / "notes.txt").write_text("none of them")
    photos = photographs([tmp_path])
    assert [path.name for path in photos] == ["0.png", "1.png"]
    assert size(reconstruction(shape_codec, photos))[0] > 100


@pytest.mark.parametrize("original", [True, False])
def test_a_strip_has_a_column_a_rate(source: ShardSource, original: bool) -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    views = first_views(source, [3, 1])
    assert torch.equal(views[0], source.get(3, 0, 1).views[0].float() / 255)
    codec = load("rnn-small")
    narrow, wide = (size(strip(codec, views, rates, original)) for rates in ((1,), (1, 2, 8)))
    assert wide[0] / narrow[0] == pytest.approx((3 + original) / (1 + original), rel=0.05)


def test_photographs_keep_their_size(tmp_path: Path) -> None:
    Image.new("RGB", (48, 32)).save(tmp_path / "a.png")
    assert load_views(photographs([tmp_path])[0], None).shape == (1, 3, 32, 48)
