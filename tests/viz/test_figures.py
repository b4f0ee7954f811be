"""Views as pixels, and figures as PNG."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from jc3d.viz.figures import pixels_of_views, png_of_figure


def test_channels_come_last() -> None:
    views = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 5), dtype=np.uint8)
    assert np.array_equal(pixels_of_views(views), views.transpose(0, 2, 3, 1))
    assert np.array_equal(pixels_of_views(torch.from_numpy(views).requires_grad_(False)), pixels_of_views(views))
    assert len(pixels_of_views(None)) == 0


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 4, 5, 3), (1, 1, 3, 4, 5)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"views: expected \(V, 3, H, W\), got"):
        pixels_of_views(np.zeros(shape))


def test_a_figure_is_drawn_on_white() -> None:
    figures = pytest.importorskip("matplotlib.figure", reason="extra `viz` is not installed")
    with Image.open(io.BytesIO(png_of_figure(figures.Figure(figsize=(1, 1), dpi=20)))) as image:
        assert image.format == "PNG"
        assert np.asarray(image.convert("RGB")).min() == 255
