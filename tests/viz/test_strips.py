"""Progressive strips: a row a view, a column a rate."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from jc3d import viz
from jc3d.errors import MissingExtraError
from jc3d.viz import draw_strip, strip_png

pytest.importorskip("matplotlib", reason="extra `viz` is not installed")


def grey(level: float, views: int = 2) -> np.ndarray:
    return np.full((views, 3, 8, 8), level, dtype=np.float32)


def pixels_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(int)


def test_rates_stand_side_by_side_and_views_one_above_the_other() -> None:
    figure = draw_strip([grey(0.0), grey(0.5), grey(0.9)], ["first", "second", "third"])
    assert [axis.get_title() for axis in figure.axes] == ["first", "second", "third", "", "", ""]
    pixels = pixels_of(strip_png([grey(0.0), grey(0.5), grey(0.9)], ["", "", ""]))
    height, width = pixels.shape
    for row in (0.3, 0.8):
        levels = pixels[int(row * height), [width // 6, width // 2, 5 * width // 6]]
        assert levels.tolist() == pytest.approx([0, 128, 230], abs=2)


def test_bytes_and_floats_are_drawn_alike() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (1, 3, 8, 8), dtype=np.uint8)
    assert strip_png([levels], ["a"]) == strip_png([torch.from_numpy(levels) / 255], ["a"])


@pytest.mark.parametrize(
    ("steps", "labels", "message"),
    [
        ([], [], r"labels: expected one for each of 0 rates, at least one, got 0"),
        ([grey(0.5)], ["a", "b"], r"labels: expected one for each of 1 rates, at least one, got 2"),
        ([grey(0.5), grey(0.5, views=1)], ["a", "b"], r"steps\[1\]: expected \(2, 8, 8, 3\) as the first .*, got \(1,"),
        ([grey(0.5)[0]], ["a"], r"views: expected \(V, 3, H, W\), got \(3, 8, 8\)"),
    ],
)
def test_bad_arguments_are_refused(steps: list[np.ndarray], labels: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_strip(steps, labels)


@pytest.mark.parametrize(("old", "new"), [("draw_ladder", draw_strip), ("ladder_png", strip_png)])
def test_old_names_are_handed_on_with_a_warning(old: str, new: object) -> None:
    with pytest.warns(DeprecationWarning, match=rf"jc3d\.viz\.{old} is named {new.__name__} now"):
        assert getattr(viz, old) is new
    with pytest.raises(AttributeError, match=r"module 'jc3d\.viz' has no attribute 'ladder'"):
        viz.ladder  # noqa: B018


def test_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'jc3d\[viz\]'"):
        draw_strip([grey(0.5)], ["a"])
