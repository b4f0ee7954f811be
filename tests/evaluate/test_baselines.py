"""Classical codecs in the loop of the models."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
import torch

from jc3d.codec.classical import encode_image
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.evaluate import BASELINES, Protocol, Report, evaluate
from jc3d.evaluate.baselines import ClassicalCodec
from jc3d.metrics import psnr

SIZES = (600, 128)
PROTOCOL = Protocol(views=(1, 2), objects=2, first=3, num_bytes=SIZES)

pytest.importorskip("torchmetrics", reason="the train extra is not installed")


@pytest.fixture(scope="module", params=BASELINES)
def report(request: pytest.FixtureRequest) -> Report:
    return evaluate(request.param, PROTOCOL)


@pytest.mark.parametrize("size", SIZES)
def test_rows_are_of_the_streams_that_the_codec_makes(report: Report, size: int) -> None:
    source = ProceduralSource("test")
    views = torch.cat([source.get(index, 0, 2).views for index in (3, 4)])
    name, header_free = report.name.removesuffix("-payload"), report.name.endswith("-payload")
    pixels = views.permute(0, 2, 3, 1).numpy()
    streams = [encode_image(view, name, num_bytes=size, header_free=header_free) for view in pixels]
    decoded = torch.from_numpy(np.stack([stream.decode() for stream in streams])).permute(0, 3, 1, 2)
    for measure, values in (
        ("met", [float(stream.met) for stream in streams]),
        ("psnr", psnr(decoded, views).tolist()),
        ("l1", ((decoded.double() - views.double()).abs().mean(dim=(1, 2, 3)) / 255).tolist()),
    ):
        row = report.one(measure=measure, num_bytes=size, views=2)
        assert (row.count, row.iterations, row.threshold) == (4, None, None)
        assert row.mean == pytest.approx(statistics.fmean(values))
    for measure, sizes in (
        ("payload_bytes", [stream.payload_bytes for stream in streams]),
        ("file_bytes", [stream.num_bytes for stream in streams]),
    ):
        assert report.one(measure=measure, num_bytes=size, views=2).mean == sum(sizes) / 2
        assert report.one(measure=measure, num_bytes=size, views=1).mean == (sizes[0] + sizes[2]) / 2


def test_a_report_names_the_software_and_no_fingerprint(report: Report) -> None:
    assert report.identity.library
    assert report.identity.fingerprint is None
    assert report.identity.code_bits is None
    assert report.protocol == PROTOCOL


def test_sizes_that_were_met_are_met_by_what_counts(report: Report) -> None:
    row = report.one(measure="met", num_bytes=600, views=2)
    assert row.mean == 1
    assert report.size(row.setting).mean <= 2 * 600


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"codec: expected one of jpeg2000, jpeg2000-payload, .*, got 'gif'"):
        ClassicalCodec("gif")


def test_a_size_must_be_asked_for() -> None:
    with pytest.raises(ValueError, match="num_bytes: expected at least one size with webp, got none"):
        evaluate("webp", Protocol(objects=1))
