"""What README and the pages claim in words holds in the reports."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from jc3d.evaluate import Report

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"


def report(name: str) -> Report:
    return Report.load(RESULTS / f"{name}.json")


def by_rate(name: str, measure: str) -> dict[int, float]:
    rows = report(name).select(measure=measure, group="all")
    return {row.iterations: row.mean for row in rows if row.iterations}


def miou(name: str, measure: str = "iou") -> float:
    return report(name).one(measure=measure, group="all").mean


def test_bits_cost_little_against_floats() -> None:
    assert miou("implicit-384-procedural") >= 0.95 * miou("r2n2-small-procedural") >= 0.95 * 0.70


def test_shapes_of_real_objects_are_recognisable() -> None:
    assert miou("implicit-384-meshes", "iou_best_turn") >= 0.60
    assert miou("implicit-384-procedural-meshes", "iou_best_turn") >= 0.30


@pytest.mark.parametrize(("measure", "sign"), [("l1", -1), ("psnr", 1), ("ssim", 1)])
def test_images_get_better_with_every_iteration(measure: str, sign: int) -> None:
    values = by_rate("rnn-small-first-views", measure)
    assert list(values) == list(range(1, 9))
    assert all(sign * after > sign * before for before, after in pairwise(values.values()))


@pytest.mark.parametrize("name", ["sequential", "direct"])
def test_shapes_of_joint_models_come_near_those_of_views_as_they_are(name: str) -> None:
    shapes, floats = by_rate(f"{name}-procedural", "iou"), miou("r2n2-small-same-objects")
    assert shapes[1] >= 0.80 * floats
    assert shapes[4] > shapes[2] > shapes[1]


def test_a_sequential_model_decodes_as_well_as_the_codec_alone() -> None:
    alone, joint = by_rate("rnn-small-procedural", "psnr"), by_rate("sequential-procedural", "psnr")
    assert all(joint[n] >= alone[n] - 0.3 for n in joint)


@pytest.mark.parametrize("codec", ["jpeg", "jpeg2000"])
@pytest.mark.parametrize(
    ("kind", "counted", "most"),
    [("first-views", "", 4), ("first-views", "-payload", 3), ("refined", "-payload", 4)],
)
def test_the_image_codec_has_a_higher_ssim_at_equal_bytes(kind: str, counted: str, most: int, codec: str) -> None:
    """Than whole files down to 96:1, than payloads down to 128:1, and with refined codes to 96:1."""
    ours, theirs = by_rate(f"rnn-small-{kind}", "ssim"), report(f"{codec}{counted}-first-views")
    for iterations in range(1, most + 1):
        row = theirs.one(measure="ssim", num_bytes=128 * iterations)
        assert ours[iterations] > row.mean, iterations
