"""Measures of decoded views."""

from __future__ import annotations

import math
import statistics

import pytest
import torch
from torch import Tensor

from jc3d.data.sources.procedural import ProceduralSource
from jc3d.evaluate import Protocol, Report
from jc3d.evaluate.measures.images import image_values
from jc3d.infer import Codec
from jc3d.metrics import ms_ssim, ssim
from jc3d.models import SequentialJoint

pytest.importorskip("torchmetrics", reason="the train extra is not installed")


def noise(size: int, count: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, 3, size, size), generator=generator, dtype=torch.uint8)


def values(decoded: Tensor, views: Tensor, measure: str) -> list[float]:
    return [value.value for value in image_values(decoded, views) if value.measure == measure]


@pytest.mark.parametrize("iterations", [2, 1])
def test_images_are_measured_as_decoded_from_each_rate(
    iterations: int, report: Report, protocol: Protocol, sequential: SequentialJoint
) -> None:
    codec, source, most = Codec(sequential), ProceduralSource("test"), max(protocol.views)
    l1, db, similarity = [], [], []
    for index in range(protocol.objects):
        views = source.get(index, protocol.seed, most).views
        decoded = codec.decode(codec.encode(views, iterations=iterations).to_bytes())
        shown = (decoded * 255).round() / 255
        difference = shown.double() - views.double() / 255
        l1 += difference.abs().mean(dim=(1, 2, 3)).tolist()
        db += (-10 * difference.square().mean(dim=(1, 2, 3)).log10()).tolist()
        similarity += ssim(shown, views).tolist()
    for measure, expected in (("l1", l1), ("psnr", db), ("ssim", similarity)):
        row = report.one(measure=measure, iterations=iterations)
        assert (row.views, row.group, row.count) == (most, "all", len(expected))
        assert row.mean == pytest.approx(statistics.fmean(expected), rel=1e-5)
        assert row.std == pytest.approx(statistics.pstdev(expected), rel=1e-3)
    assert report.one(measure="exact", iterations=iterations).total == 0
    assert not report.select(measure="ms_ssim")


def test_rates_differ(report: Report) -> None:
    assert len({row.mean for row in report.select(measure="psnr")}) == 2


def test_an_exact_image_counts_as_one_with_a_single_value_off_by_one() -> None:
    views = noise(32, count=3)
    views[1, 0, 0, 0] = 7
    decoded = views.float() / 255
    decoded[1, 0, 0, 0] = 8 / 255
    decoded[2] += 0.4 / 255 * (decoded[2] < 0.5)  # rounds to the original
    exact, off, rounded = values(decoded, views, "psnr")
    assert exact == rounded == pytest.approx(10 * math.log10(255**2 * 3 * 32 * 32))
    assert exact == pytest.approx(off, abs=1e-3)
    assert exact >= off
    assert values(decoded, views, "exact") == [1, 0, 1]
    assert sum(values(decoded, views, "l1")) == pytest.approx(1 / 255 / views[0].numel())


@pytest.mark.parametrize("size", [160, 161])
def test_ms_ssim_is_measured_only_where_it_is_defined(size: int) -> None:
    views = noise(size)
    decoded = (views.float() / 255 + 0.1).clamp(max=1)
    expected = [] if size < 161 else ms_ssim((decoded * 255).round() / 255, views).tolist()
    assert values(decoded, views, "ms_ssim") == pytest.approx(expected, rel=1e-5)
