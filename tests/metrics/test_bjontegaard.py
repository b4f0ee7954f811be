"""Bjøntegaard delta rates by hand, by their invariances and against the package bjontegaard."""

import math
import re
import sys

import numpy as np
import pytest

from jc3d.errors import MissingExtraError
from jc3d.metrics import bd_rate

pytest.importorskip("scipy", reason="the extra 'train' is not installed")

METHODS = ("cubic", "pchip", "akima")
RATES, QUALITY = [0.1, 0.25, 0.5, 1.1, 2.0], [30.0, 32.5, 34.0, 37.5, 39.0]


def curve(rng: np.random.Generator, points: int) -> tuple[np.ndarray, np.ndarray]:
    rates = rng.uniform(0.01, 0.5) + rng.uniform(0.05, 1, points).cumsum()
    return rates, 30 + rng.uniform(0.1, 2, points).cumsum()


@pytest.mark.parametrize("method", METHODS)
def test_against_the_published_package(method: str) -> None:
    bjontegaard = pytest.importorskip("bjontegaard", reason="the extra 'test' is not installed")
    rng = np.random.default_rng(0)
    compared = 0
    for _ in range(300):
        curves = curve(rng, int(rng.integers(4, 9))) + curve(rng, int(rng.integers(4, 9)))
        low, high = max(curves[1][0], curves[3][0]), min(curves[1][-1], curves[3][-1])
        if low >= high:
            continue
        result = bd_rate(*curves, method)
        expected = bjontegaard.bd_rate(*curves, method=method, require_matching_points=False, min_overlap=0)
        assert result.percent == pytest.approx(expected, rel=1e-6, abs=1e-6)
        assert (result.low, result.high) == pytest.approx((low, high))
        compared += 1
    assert compared > 250


@pytest.mark.parametrize(
    ("method", "points", "other_points", "percent"),
    [
        ("pchip", 3, 4, -4.963163794771589),
        ("akima", 3, 5, -4.555676870516919),
        ("akima", 2, 3, 3.956987897205911),
        ("pchip", 6, 5, 2.035793576020068),
        ("akima", 6, 5, 1.0454834525780305),
        ("cubic", 6, 4, -10.128164073070632),
    ],
)
def test_published_numbers_stay(method: str, points: int, other_points: int, percent: float) -> None:
    # What this project's own interpolations gave, which scipy's replaced.
    rates, quality = [*RATES, 4.5][:points], [*QUALITY, 40.25][:points]
    others, other_quality = [0.15, 0.2, 0.6, 0.9, 2.5][:other_points], [30.5, 32, 35.25, 36, 40][:other_points]
    assert bd_rate(rates, quality, others, other_quality, method).percent == pytest.approx(percent, rel=1e-9)


@pytest.mark.parametrize("method", ["pchip", "akima"])
def test_two_points_are_joined_by_a_line(method: str) -> None:
    result = bd_rate([1, 10], [20, 26], [2, 40], [21, 28], method)
    middle = (result.low + result.high) / 2
    ours, anchors = math.log10(2) + math.log10(20) * (middle - 21) / 7, (middle - 20) / 6
    assert result == pytest.approx((100 * (10 ** (ours - anchors) - 1), 21, 26))


def test_akima_at_a_kink_between_straight_lines() -> None:
    bjontegaard = pytest.importorskip("bjontegaard", reason="the extra 'test' is not installed")
    # The slope at the kink is a mean with weights of rounding errors, unless these are told from turns.
    kinked = 10 ** np.array([0.1, 0.27, 0.44, 0.9, 1.36]), np.array([30, 31, 32, 34, 36.0])
    other = 10 ** np.array([0.1, 0.25, 0.4, 0.5, 0.9]), np.array([30, 30.5, 32, 32.5, 36])
    expected = bjontegaard.bd_rate(*kinked, *other, method="akima", min_overlap=0)
    assert bd_rate(*kinked, *other, "akima").percent == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_by_hand(method: str) -> None:
    double = [2 * rate for rate in RATES]
    assert bd_rate(RATES, QUALITY, double, QUALITY, method) == pytest.approx((100, 30, 39))
    assert bd_rate(double, QUALITY, RATES, QUALITY, method) == pytest.approx((-50, 30, 39))
    assert bd_rate(RATES, QUALITY, RATES, QUALITY, method).percent == 0
    # 6 dB a decade and 2 dB more: straight lines in log(rate), a third of a decade apart, on a part of the anchor.
    rates, quality = np.array([1, 10, 100, 1000.0]), np.array([20, 26, 32, 38.0])
    part = bd_rate(rates, quality, rates * 10, quality + 8, method)
    assert part == pytest.approx((100 * (10 ** (-1 / 3) - 1), 28, 38))


@pytest.mark.parametrize("method", METHODS)
def test_invariances(method: str) -> None:
    rng = np.random.default_rng(3)
    anchor, other = curve(rng, 5), curve(rng, 6)
    there, back = bd_rate(*anchor, *other, method), bd_rate(*other, *anchor, method)
    assert there.percent != pytest.approx(0, abs=1)
    assert (1 + there.percent / 100) * (1 + back.percent / 100) == pytest.approx(1)
    assert bd_rate(anchor[0] * 8e5, anchor[1], other[0] * 8e5, other[1], method) == pytest.approx(there)
    order = rng.permutation(5)
    assert bd_rate(anchor[0][order], anchor[1][order], *other, method) == there


@pytest.mark.parametrize("shift", [9.0, 20.0], ids=["touching in a point", "apart"])
def test_curves_that_do_not_overlap(shift: float) -> None:
    with pytest.raises(ValueError, match="quality: expected a curve that overlaps the anchor's qualities from 30 to"):
        bd_rate(RATES, QUALITY, RATES, np.add(QUALITY, shift))


def test_curves_that_overlap_a_little() -> None:
    assert bd_rate(RATES, QUALITY, RATES, np.add(QUALITY, 8.5))[1:] == (38.5, 39)


@pytest.mark.parametrize(
    ("rates", "quality", "method", "message"),
    [
        (RATES[:3], QUALITY[:3], "cubic", "rates: expected a list of at least 4 rates, got the shape (3,)"),
        (RATES[:1], QUALITY[:1], "pchip", "rates: expected a list of at least 2 rates, got the shape (1,)"),
        ([RATES], [QUALITY], "pchip", "rates: expected a list of at least 2 rates, got the shape (1, 5)"),
        (RATES, QUALITY[:4], "pchip", "quality: expected the shape (5,) of rates, got (4,)"),
        ([0.0, 1.0], [30, 31], "pchip", "rates: expected finite rates above 0, got [0.0, 1.0]"),
        ([1.0, math.inf], [30, 31], "pchip", "rates: expected finite rates above 0, got [1.0, inf]"),
        ([1.0, 2.0], [30, math.inf], "pchip", "quality: expected finite numbers, got [30.0, inf]"),
        ([1.0, 2.0], [30, math.nan], "pchip", "quality: expected finite numbers, got [30.0, nan]"),
        ([2.0, 1.0, 1.0], [30, 31, 32], "akima", "rates: expected rates that differ, got [1.0, 1.0, 2.0]"),
        ([1, 2, 3], [30, 32, 31], "pchip", "quality: expected numbers that grow with the rate, got [30.0, 32.0, 31.0]"),
        ([1, 2, 3], [30, 31, 31], "pchip", "quality: expected numbers that grow with the rate, got [30.0, 31.0, 31.0]"),
        (RATES, QUALITY, "linear", "method: expected one of cubic, pchip, akima, got 'linear'"),
    ],
)
def test_curves_that_are_refused(rates: list[float], quality: list[float], method: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        bd_rate(RATES, QUALITY, rates, quality, method)
    argument = message.split(":")[0]
    with pytest.raises(ValueError, match=rf"^{argument if argument == 'method' else argument + '_anchor'}: expected"):
        bd_rate(rates, quality, RATES, QUALITY, method)


def test_without_scipy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.interpolate", None)
    with pytest.raises(MissingExtraError, match=r"scipy\.interpolate is needed here: pip install 'jc3d\[train\]'"):
        bd_rate(RATES, QUALITY, RATES, QUALITY)
    assert bd_rate(RATES, QUALITY, RATES, QUALITY, "cubic").percent == 0
