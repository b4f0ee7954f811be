"""Integrals of curves through a few points, for the Bjøntegaard deltas (:mod:`jc3d.metrics.rate`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

MIN_POINTS = {"cubic": 4, "pchip": 2, "akima": 2}
"""The interpolations by name, with the least number of points of each."""


def curve_integral(x: Array, y: Array, low: float, high: float, method: str) -> float:
    """Integral from ``low`` to ``high`` of the curve through points, exact for the interpolation.

    Args:
        x: (P,) strictly increasing.
        y: (P,) strictly increasing.
        low: not below the first of ``x``.
        high: not above the last of ``x``.
        method: a key of :data:`MIN_POINTS`. ``cubic`` is one polynomial of degree 3, by least squares if there are more
            than four points (VCEG-M33); ``pchip`` and ``akima`` are cubics from point to point, continuous with their
            slope.
    """
    if method == "cubic":
        antiderivative = Polynomial.fit(x, y, 3).integ()
        return float(antiderivative(high) - antiderivative(low))
    slopes = (_pchip_slopes if method == "pchip" else _akima_slopes)(np.diff(x), np.diff(y) / np.diff(x))
    antiderivatives = _hermite_antiderivatives(x, y, slopes)
    pieces = antiderivatives(np.clip(high, x[:-1], x[1:])) - antiderivatives(np.clip(low, x[:-1], x[1:]))
    return float(pieces.sum())


def _hermite_antiderivatives(x: Array, y: Array, slopes: Array) -> Callable[[Array], Array]:
    """Antiderivatives, 0 at the left end, of the cubics in the P - 1 intervals of these values and slopes."""
    step = np.diff(x)
    secant = np.diff(y) / step
    second = (3 * secant - 2 * slopes[:-1] - slopes[1:]) / step
    third = (slopes[:-1] + slopes[1:] - 2 * secant) / step**2

    def antiderivatives(at: Array) -> Array:
        t = at - x[:-1]
        return t * (y[:-1] + t * (slopes[:-1] / 2 + t * (second / 3 + t * third / 4)))

    return antiderivatives


def _pchip_slopes(step: Array, secant: Array) -> Array:
    """Slopes that keep the curve monotone (Fritsch and Butland 1984), those at the ends from three points.

    The secants are positive here, so the rule's cases for changing signs do not occur.
    """
    if len(secant) == 1:
        return np.repeat(secant, 2)
    left, right = step[:-1], step[1:]
    inner = 3 * (left + right) / ((2 * right + left) / secant[:-1] + (right + 2 * left) / secant[1:])

    def end(step: Array, secant: Array) -> float:
        return max(0.0, float(((2 * step[0] + step[1]) * secant[0] - step[0] * secant[1]) / (step[0] + step[1])))

    return np.concatenate([[end(step, secant)], inner, [end(step[::-1], secant[::-1])]])


def _akima_slopes(step: Array, secant: Array) -> Array:
    """Slopes after Akima 1970: a secant weighs as the turn on its other side. The curve need not be monotone."""
    if len(secant) == 1:
        return np.repeat(secant, 2)
    before = 2 * secant[0] - secant[1]
    after = 2 * secant[-1] - secant[-2]
    secant = np.concatenate([[2 * before - secant[0], before], secant, [after, 2 * after - secant[-1]]])
    turn = np.abs(np.diff(secant))
    ahead, behind = turn[2:], turn[:-2]
    total = ahead + behind
    bent = total > 1e-9 * total.max()  # scipy's bound, below which the weights are rounding errors
    weight = np.divide(behind, total, out=np.zeros_like(total), where=bent)
    return np.where(bent, secant[1:-2] + weight * np.diff(secant)[1:-1], (secant[3:] + secant[:-3]) / 2)
