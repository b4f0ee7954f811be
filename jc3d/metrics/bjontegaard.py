"""Bjøntegaard delta rate between two rate-quality curves; the curves are scipy's (extra ``train``)."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike, NDArray

from jc3d.errors import require_extra

Array: TypeAlias = NDArray[np.float64]

MIN_POINTS = {"cubic": 4, "pchip": 2, "akima": 2}
"""The interpolations by name, with the least number of points of each."""


class BDRate(NamedTuple):
    """Result of :func:`bd_rate`."""

    percent: float
    """Mean difference of rate at equal quality; negative where the curve needs less than the anchor."""
    low: float
    """Least quality of the range that both curves reach and over which the mean is taken."""
    high: float
    """Largest quality of the range."""


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
        MissingExtraError: scipy is not installed, and the method is not cubic.
    """
    if method not in MIN_POINTS:
        raise ValueError(f"method: expected one of {', '.join(MIN_POINTS)}, got {method!r}")
    log_rates_anchor, q_anchor = _curve("rates_anchor", rates_anchor, "quality_anchor", quality_anchor, method)
    log_rates, q = _curve("rates", rates, "quality", quality, method)
    low, high = float(max(q_anchor[0], q[0])), float(min(q_anchor[-1], q[-1]))
    if not low < high:
        raise ValueError(
            f"quality: expected a curve that overlaps the anchor's qualities from {q_anchor[0]:g} to "
            f"{q_anchor[-1]:g}, got {q[0]:g} to {q[-1]:g}"
        )
    ours = _integral(q, log_rates, low, high, method)
    anchors = _integral(q_anchor, log_rates_anchor, low, high, method)
    return BDRate(float(np.expm1((ours - anchors) / (high - low) * np.log(10.0))) * 100, low, high)


def _integral(x: Array, y: Array, low: float, high: float, method: str) -> float:
    """Integral from ``low`` to ``high`` of the curve through points, exact for the interpolation.

    Args:
        x: (P,) strictly increasing.
        y: (P,) values there.
        low: not below the first of ``x``.
        high: not above the last of ``x``.
        method: a key of :data:`MIN_POINTS`. ``cubic`` is one polynomial of degree 3, by least squares if there are more
            than four points (VCEG-M33); ``pchip`` and ``akima`` are cubics from point to point, continuous with their
            slope.
    """
    if method == "cubic":
        antiderivative = Polynomial.fit(x, y, 3).integ()
        return float(antiderivative(high) - antiderivative(low))
    interpolate = require_extra("scipy.interpolate", "train")
    # Through two points both are a straight line, which not every release of scipy's Akima knows.
    akima = method == "akima" and len(x) > 2
    curve = (interpolate.Akima1DInterpolator if akima else interpolate.PchipInterpolator)(x, y)
    return float(curve.integrate(low, high))


def _curve(
    rates_name: str, rates: ArrayLike, quality_name: str, quality: ArrayLike, method: str
) -> tuple[Array, Array]:
    """log10 of the rates, rising, and the qualities."""
    min_points = MIN_POINTS[method]
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
