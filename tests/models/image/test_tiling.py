"""Large images are coded in tiles, each an image of its own."""

import pytest
import torch
from tiny_compressor import images, make
from torch.nn import functional as F

from jc3d.models import RnnCompressor
from jc3d.models.image import tiling


@pytest.fixture(scope="module")
def model() -> RnnCompressor:
    return make()


def test_a_tile_is_an_image_of_its_own(model: RnnCompressor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "TILE", 32)
    x = images(1, 80, 48)
    packed = model.compress(x, 3)
    maps = model.code_maps(packed[0], (80, 48))
    decoded = model.decompress(packed, (80, 48))
    for top, left in [(0, 0), (0, 32), (32, 0), (32, 32), (64, 0), (64, 32)]:
        part = x[:, :, top : top + 32, left : left + 32]
        alone = model.compress(part, 3)
        size = (part.shape[2], part.shape[3])
        rows, columns = model.config.code_map(size)
        where = maps[:, :, top // 16 : top // 16 + rows, left // 16 : left // 16 + columns]
        assert torch.equal(where, model.code_maps(alone[0], size))
        assert torch.equal(decoded[:, :, top : top + 32, left : left + 32], model.decompress(alone, size))


def test_a_tile_may_be_a_sliver(model: RnnCompressor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "TILE", 32)
    x = images(1, 67, 33)  # the last tiles hold 3 rows and 1 column
    packed = model.compress(x, 2)
    assert packed.shape == (1, 2, 5 * 3 * 4 // 8 + 1)
    with torch.no_grad():
        seen = model(F.pad(x[:, :, 64:, 32:], (0, 15, 0, 13), mode="replicate"), 2)
    assert torch.equal(model.decompress(packed, (67, 33))[:, :, 64:, 32:], seen.images[-1][:, :, :3, :1])
