"""Rates of bytes by hand; Bjøntegaard deltas by hand, by their invariances and against the package bjontegaard."""

import math
import re

import numpy as np
import pytest

from jc3d.metrics import bd_quality, bd_rate, bits_per_pixel, compression_ratio

METHODS = ("cubic", "pchip", "akima")
RATES, QUALITY = [0.1, 0.25, 0.5, 1.1, 2.0], [30.0, 32.5, 34.0, 37.5, 39.0]


def curve(rng: np.random.Generator, points: int) -> tuple[np.ndarray, np.ndarray]:
    rates = rng.uniform(0.01, 0.5) + rng.uniform(0.05, 1, points).cumsum()
    return rates, 30 + rng.uniform(0.1, 2, points).cumsum()


def test_bits_and_ratio_by_hand() -> None:
    assert bits_per_pixel(128, 128, 128) == 0.0625
    assert bits_per_pixel(np.int64(0), 1, 1) == 0
    assert compression_ratio(128, 128, 128) == 384
    assert compression_ratio(6, 2, 3, channels=1) == 1


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "num_bytes: expected at least 0, got -1", lambda: bits_per_pixel(-1, 2, 2)),
        (ValueError, "width: expected at least 1, got 0", lambda: bits_per_pixel(1, 2, 0)),
        (ValueError, "num_bytes: expected at least 1, got 0", lambda: compression_ratio(0, 2, 2)),
        (ValueError, "channels: expected at least 1, got 0", lambda: compression_ratio(1, 2, 2, 0)),
        (TypeError, "num_bytes: expected a whole number, got 1.5", lambda: bits_per_pixel(1.5, 2, 2)),
    ],
)
def test_sizes_that_are_refused(error: type[Exception], message: str, call) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()


@pytest.mark.parametrize("method", METHODS)
def test_against_the_published_package(method: str) -> None:
    bjontegaard = pytest.importorskip("bjontegaard", reason="the extra 'test' is not installed")
    rng = np.random.default_rng(0)
    compared = 0
    for _ in range(300):
        curves = curve(rng, int(rng.integers(4, 9))) + curve(rng, int(rng.integers(4, 9)))
        options = {"method": method, "require_matching_points": False, "min_overlap": 0}
        for ours, theirs in ((bd_rate, bjontegaard.bd_rate), (bd_quality, bjontegaard.bd_psnr)):
            x = [curves[i] for i in ((1, 3) if ours is bd_rate else (0, 2))]
            low, high = max(x[0][0], x[1][0]), min(x[0][-1], x[1][-1])
            if low >= high:
                continue
            result = ours(*curves, method)
            assert result[0] == pytest.approx(theirs(*curves, **options), rel=1e-6, abs=1e-6)
            assert result[1:] == pytest.approx((low, high))
            compared += 1
    assert compared > 500


@pytest.mark.parametrize("method", ["pchip", "akima"])
@pytest.mark.parametrize("points", [2, 3])
def test_few_points_against_scipy(method: str, points: int) -> None:
    interpolate = pytest.importorskip("scipy.interpolate", reason="the extra 'mesh' is not installed")
    kind = interpolate.PchipInterpolator if method == "pchip" else interpolate.Akima1DInterpolator
    rng = np.random.default_rng(points)
    (rates_a, quality_a), (rates_b, quality_b) = curve(rng, points), curve(rng, points)
    result = bd_rate(rates_a, quality_a, rates_b, quality_b, method)
    means = [
        kind(quality, np.log(rates)).integrate(result.low, result.high) / (result.high - result.low)
        for rates, quality in ((rates_a, quality_a), (rates_b, quality_b))
    ]
    assert result.percent == pytest.approx(100 * (math.exp(means[1] - means[0]) - 1), rel=1e-9)


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
    assert bd_quality(RATES, QUALITY, RATES, np.add(QUALITY, 1.5), method) == pytest.approx((1.5, 0.1, 2.0))
    assert bd_rate(RATES, QUALITY, RATES, QUALITY, method).percent == 0
    # 6 dB a decade and 2 dB more: straight lines in log(rate), a third of a decade apart, on a part of the anchor.
    rates, quality = np.array([1, 10, 100, 1000.0]), np.array([20, 26, 32, 38.0])
    part = bd_rate(rates, quality, rates * 10, quality + 8, method)
    assert part == pytest.approx((100 * (10 ** (-1 / 3) - 1), 28, 38))
    assert bd_quality(rates, quality, rates * 10, quality + 8, method) == pytest.approx((2, 10, 1000))


@pytest.mark.parametrize("method", METHODS)
def test_invariances(method: str) -> None:
    rng = np.random.default_rng(3)
    anchor, other = curve(rng, 5), curve(rng, 6)
    there, back = bd_rate(*anchor, *other, method), bd_rate(*other, *anchor, method)
    assert there.percent != pytest.approx(0, abs=1)
    assert (1 + there.percent / 100) * (1 + back.percent / 100) == pytest.approx(1)
    assert bd_quality(*anchor, *other, method).difference == pytest.approx(
        -bd_quality(*other, *anchor, method).difference
    )
    assert bd_rate(anchor[0] * 8e5, anchor[1], other[0] * 8e5, other[1], method) == pytest.approx(there)
    order = rng.permutation(5)
    assert bd_rate(anchor[0][order], anchor[1][order], *other, method) == there


def test_curves_that_do_not_overlap() -> None:
    for shift in (9.0, 20.0):  # 9 touches in a point
        with pytest.raises(
            ValueError, match="quality: expected a curve that overlaps the anchor's qualities from 30 to"
        ):
            bd_rate(RATES, QUALITY, RATES, np.add(QUALITY, shift))
    with pytest.raises(ValueError, match="rates: expected a curve that overlaps the anchor's log10 rates from -1 to"):
        bd_quality(RATES, QUALITY, np.multiply(RATES, 20), QUALITY)
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
        bd_quality(rates, quality, RATES, QUALITY, method)
