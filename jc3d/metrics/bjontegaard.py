"""Bjøntegaard deltas between two rate-quality curves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jc3d.metrics.curve_integral import MIN_POINTS, Array, curve_integral


class BDRate(NamedTuple):
    """Result of :func:`bd_rate`."""

    percent: float
    """Mean difference of rate at equal quality; negative where the curve needs less than the anchor."""
    low: float
    """Least quality of the range that both curves reach and over which the mean is taken."""
    high: float
    """Largest quality of the range."""


class BDQuality(NamedTuple):
    """Result of :func:`bd_quality`."""

    difference: float
    """Mean difference of quality at equal rate, in its unit; positive where the curve beats the anchor."""
    low: float
    """Least rate of the range that both curves reach and over whose logarithm the mean is taken."""
    high: float
    """Largest rate of the range."""


def bd_rate(
    rates_anchor: ArrayLike, quality_anchor: ArrayLike, rates: ArrayLike, quality: ArrayLike, method: str = "pchip"
) -> BDRate:
    """Bjøntegaard delta rate: by how many percent a curve's rate differs from an anchor's at equal quality, on average.

    The mean difference of log(rate), a function of quality through each curve's points, over the qualities that both
    curves reach (VCEG-M33) and nothing outside them.

    Args:
        rates_anchor: (P,) rates of the anchor in any unit that both curves share, in any order.
        quality_anchor: (P,) its qualities at these rates, such as PSNR in dB; they grow with the rate. Of a measure
            that falls (LPIPS), give the negative.
        rates: (Q,) rates of the curve that is compared.
        quality: (Q,) its qualities.
        method: how the points are joined: ``"pchip"``, monotone from point to point; ``"cubic"``, one polynomial of
            degree 3, which VCEG-M33 uses and which may swing between distant points; ``"akima"``.

    Returns:
        The percentage, negative where the curve saves rate and 100 where it needs twice as much, and the range of
        qualities it holds for: with little overlap it says little.

    Raises:
        ValueError: fewer than two points (four for cubic), lengths that differ, numbers that are not finite, rates that
            are not positive, qualities that do not strictly grow with the rate, an unknown method, or curves that share
            no range of qualities.
    """
    x_anchor, y_anchor, x, y = _curves(rates_anchor, quality_anchor, rates, quality, method)
    difference, low, high = _mean_difference(y_anchor, x_anchor, y, x, method, "quality", "qualities")
    return BDRate(float(np.expm1(difference * np.log(10.0))) * 100, low, high)


def bd_quality(
    rates_anchor: ArrayLike, quality_anchor: ArrayLike, rates: ArrayLike, quality: ArrayLike, method: str = "pchip"
) -> BDQuality:
    """Bjøntegaard delta quality (BD-PSNR where quality is PSNR): how much better a curve is at equal rate, on average.

    The mean over the logarithm of the rates that both curves reach (VCEG-M33), and nothing outside them.

    Args:
        rates_anchor: as for :func:`bd_rate`.
        quality_anchor: as for :func:`bd_rate`.
        rates: as for :func:`bd_rate`.
        quality: as for :func:`bd_rate`.
        method: as for :func:`bd_rate`.

    Returns:
        The difference in the unit of the quality, positive where the curve is better, and the range of rates it is for.

    Raises:
        ValueError: as :func:`bd_rate`, or for curves that share no range of rates.
    """
    x_anchor, y_anchor, x, y = _curves(rates_anchor, quality_anchor, rates, quality, method)
    difference, low, high = _mean_difference(x_anchor, y_anchor, x, y, method, "rates", "log10 rates")
    return BDQuality(difference, 10.0**low, 10.0**high)


def _mean_difference(
    x_anchor: Array, y_anchor: Array, x: Array, y: Array, method: str, argument: str, what: str
) -> tuple[float, float, float]:
    """Mean of y - y_anchor over the x that both curves reach, and the ends of this range."""
    low, high = float(max(x_anchor[0], x[0])), float(min(x_anchor[-1], x[-1]))
    if not low < high:
        raise ValueError(
            f"{argument}: expected a curve that overlaps the anchor's {what} from {x_anchor[0]:g} to {x_anchor[-1]:g}, "
            f"got {x[0]:g} to {x[-1]:g}"
        )
    ours = curve_integral(x, y, low, high, method)
    anchors = curve_integral(x_anchor, y_anchor, low, high, method)
    return (ours - anchors) / (high - low), low, high


def _curves(
    rates_anchor: ArrayLike, quality_anchor: ArrayLike, rates: ArrayLike, quality: ArrayLike, method: str
) -> tuple[Array, Array, Array, Array]:
    """log10 of the rates, rising, and the qualities of both curves."""
    if method not in MIN_POINTS:
        raise ValueError(f"method: expected one of {', '.join(MIN_POINTS)}, got {method!r}")
    anchor = _curve("rates_anchor", rates_anchor, "quality_anchor", quality_anchor, MIN_POINTS[method])
    return *anchor, *_curve("rates", rates, "quality", quality, MIN_POINTS[method])


def _curve(
    rates_name: str, rates: ArrayLike, quality_name: str, quality: ArrayLike, min_points: int
) -> tuple[Array, Array]:
    rate, value = np.asarray(rates, dtype=np.float64), np.asarray(quality, dtype=np.float64)
    if rate.ndim != 1 or len(rate) < min_points:
        raise ValueError(f"{rates_name}: expected a list of at least {min_points} rates, got the shape {rate.shape}")
    if value.shape != rate.shape:
        raise ValueError(f"{quality_name}: expected the shape {rate.shape} of {rates_name}, got {value.shape}")
    if not (np.isfinite(rate).all() and (rate > 0).all()):
        raise ValueError(f"{rates_name}: expected finite rates above 0, got {rate.tolist()}")
    if not np.isfinite(value).all():
        raise ValueError(f"{quality_name}: expected finite numbers, got {value.tolist()}")
    order = np.argsort(rate)
    logarithm, value = np.log10(rate[order]), value[order]
    if not (np.diff(logarithm) > 0).all():
        raise ValueError(f"{rates_name}: expected rates that differ, got {rate[order].tolist()}")
    if not (np.diff(value) > 0).all():
        raise ValueError(
            f"{quality_name}: expected numbers that grow with the rate, got {value.tolist()} at {rate[order].tolist()}"
        )
    return logarithm, value
