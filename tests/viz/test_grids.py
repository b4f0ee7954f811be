import io
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from jc3d.errors import MissingExtraError
from jc3d.viz import draw, picture_png, save_picture

pytest.importorskip("matplotlib", reason="extra `viz` is not installed")


def pixels_of(figure) -> np.ndarray:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    return np.asarray(Image.open(buffer).convert("RGB")).astype(int)


def bluish(pixels: np.ndarray) -> np.ndarray:
    return pixels[:, :, 2] > pixels[:, :, 0] + 20


def greenish(pixels: np.ndarray) -> np.ndarray:
    return pixels[:, :, 1] > np.maximum(pixels[:, :, 0], pixels[:, :, 2]) + 15


def test_reconstruction_is_drawn_and_the_truth_only_where_given():
    grid = np.zeros((32, 32, 32), dtype=np.float32)
    grid[8:24, 4:28, 8:24] = 0.8
    alone = pixels_of(draw(grid))
    assert bluish(alone).mean() > 0.05
    assert not greenish(alone).any()
    both = pixels_of(draw(grid, truth=grid > 0.5))
    assert bluish(both).mean() > 0.03
    assert greenish(both).mean() > 0.03
    assert np.nonzero(bluish(both))[1].max() < np.nonzero(greenish(both))[1].min()  # side by side


def test_threshold_decides_what_is_drawn():
    grid = np.full((8, 8, 8), 0.4, dtype=np.float32)
    assert not bluish(pixels_of(draw(grid))).any()
    assert bluish(pixels_of(draw(grid, threshold=0.3))).mean() > 0.05


def test_up_is_up_and_right_is_right():
    """A thin column at high x and z = 0 stands on the right of the first direction, and reaches up from a low slab."""
    grid = np.zeros((32, 32, 32), dtype=bool)
    grid[:, 0:3, :] = True
    grid[28:31, :, 28:31] = True  # towards the viewer of the first direction, and to its right
    pixels = bluish(pixels_of(draw(grid)))
    first = pixels[:, : pixels.shape[1] // 2]
    rows, columns = np.nonzero(first)
    top = columns[rows < rows.min() + 5]
    assert top.min() > columns.min() + 0.4 * np.ptp(columns)
    assert first[-first.shape[0] // 3 :].sum() > first[: first.shape[0] // 3].sum()


def test_near_faces_hide_far_ones():
    """A cell behind a wall is seen from the second direction only; the wall and a far cell fix the frame of both."""
    wall = np.zeros((32, 32, 32), dtype=bool)
    wall[24:26], wall[0, 0, 0] = True, True
    hiding = wall.copy()
    hiding[18:23, 8:20, 8:20] = True  # the first direction looks from +X and +Z
    change = np.abs(pixels_of(draw(hiding)) - pixels_of(draw(wall))).max(axis=2)
    change = change[30:]  # below the title, which counts the cells
    middle = change.shape[1] // 2
    assert change[:, :middle].max() < 20  # what shines through the seams
    assert (change[:, middle:] > 60).mean() > 0.005


@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_views_are_shown_above(count: int):
    views = np.zeros((count, 3, 16, 16), dtype=np.uint8)
    views[:, 0] = 255
    pixels = pixels_of(draw(np.ones((4, 4, 4), dtype=bool), views))
    red = (pixels[:, :, 0] > 250) & (pixels[:, :, 1] < 5)
    assert red.mean() > 0.03
    assert np.nonzero(red)[0].max() < np.nonzero(bluish(pixels))[0].min()
    floats = pixels_of(draw(np.ones((4, 4, 4), dtype=bool), torch.from_numpy(views) / 255.0))
    assert np.array_equal(pixels, floats)


def test_empty_grid_is_said_to_be_empty():
    figure = draw(np.zeros((32, 32, 32)))
    texts = [text.get_text() for part in figure.subfigs for axis in part.axes for text in axis.texts]
    assert texts == ["nothing", "nothing"]


def test_worst_case_takes_seconds_at_most():
    noise = np.random.default_rng(0).random((32, 32, 32)).astype(np.float32)
    start = time.perf_counter()
    assert picture_png(noise).startswith(b"\x89PNG")
    assert time.perf_counter() - start < 20.0  # about 0.8 s where it was written; ax.voxels takes minutes


def test_save_picture_writes_a_png(tmp_path: Path):
    save_picture(tmp_path / "out.png", torch.ones(4, 4, 4))
    with Image.open(tmp_path / "out.png") as image:
        assert image.format == "PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    with pytest.raises(FileNotFoundError):
        save_picture(tmp_path / "no" / "out.png", torch.ones(4, 4, 4))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"grid: expected \(n, n, n\), got \(4, 4\)"):
        draw(np.zeros((4, 4)))
    with pytest.raises(ValueError, match=r"views: expected \(V, 3, H, W\), got \(3, 8, 8\)"):
        draw(np.zeros((4, 4, 4)), np.zeros((3, 8, 8)))
    with pytest.raises(ValueError, match="threshold: expected"):
        draw(np.zeros((4, 4, 4)), threshold=-0.1)


def test_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'jc3d\[viz\]'"):
        draw(np.zeros((4, 4, 4)))
