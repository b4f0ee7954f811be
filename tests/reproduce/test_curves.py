"""Rate-quality curves of reports."""

from __future__ import annotations

import pytest

from jc3d.evaluate import Identity, Protocol, Report, Row
from jc3d.metrics import bd_rate
from jc3d.reproduce.curves import Curve, curve, rate_delta


def model(*points: tuple[int, float]) -> Report:
    """Two views, an iteration a point: (payload bytes of both, PSNR)."""
    rows = [
        Row("m", measure, 2, n, None, None, "all", 4, value, 0.0)
        for n, point in enumerate(points, start=1)
        for measure, value in zip(("payload_bytes", "psnr"), point, strict=True)
    ]
    return Report(Identity("m", "00", 8), (16, 16), Protocol(views=(2,)), tuple(rows))


def test_points_are_bytes_a_view_by_rising_rate() -> None:
    assert curve(model((64, 30), (32, 20)), "psnr") == Curve((16, 32), (20, 30))


def test_some_iterations_alone() -> None:
    assert curve(model((32, 20), (64, 30), (96, 35)), "psnr", (1, 3)) == Curve((16, 48), (20, 35))


def test_a_codec_that_cannot_get_smaller_is_one_point() -> None:
    assert curve(model((32, 20), (32, 20), (64, 30)), "psnr") == Curve((16, 32), (20, 30))


def test_the_delta_is_that_of_the_metric() -> None:
    pytest.importorskip("scipy", reason="the extra of Bjøntegaard deltas is not installed")
    anchor, half = Curve((10, 20, 40), (30, 33, 37)), Curve((5, 10, 20), (30, 33, 37))
    assert rate_delta(anchor, half) == bd_rate(*anchor, *half)
    assert rate_delta(anchor, half).percent == pytest.approx(-50)
    with pytest.raises(ValueError, match="overlap"):
        rate_delta(anchor, Curve((5, 10), (40, 41)))
