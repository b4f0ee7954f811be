"""Rate-quality curves of reports, and Bjøntegaard deltas between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jc3d.evaluate import Report
from jc3d.evaluate.rows import ALL
from jc3d.metrics import bd_rate
from jc3d.metrics.bjontegaard import BDRate


class Curve(NamedTuple):
    """Points of a codec, by rising rate."""

    bytes_a_view: tuple[float, ...]
    quality: tuple[float, ...]


def curve(report: Report, measure: str, iterations: Sequence[int] | None = None) -> Curve:
    """The mean of a measure at every rate.

    A codec that cannot get smaller stands at one point for several sizes asked for: it is one point of the curve.

    Args:
        report: of a codec at several rates and one number of views.
        measure: that grows with the rate, such as ``psnr``.
        iterations: the rates that are taken, of a model; None: all.
    """
    rows = [
        row for row in report.select(measure=measure, group=ALL) if iterations is None or row.iterations in iterations
    ]
    points = {report.size(row.setting).mean / row.views: row.mean for row in rows}
    return Curve(tuple(sorted(points)), tuple(points[rate] for rate in sorted(points)))


def rate_delta(anchor: Curve, curve: Curve) -> BDRate:
    """Mean difference of the rate at equal quality; see :func:`jc3d.metrics.bd_rate`.

    Raises:
        ValueError: the curves share no range of qualities, or have fewer than two points.
    """
    return bd_rate(anchor.bytes_a_view, anchor.quality, curve.bytes_a_view, curve.quality)
