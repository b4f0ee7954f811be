"""What evaluations depend on: defaults, and values that are refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from jc3d.evaluate import Protocol
from jc3d.evaluate.rules import measure_rules, rules


def test_the_defaults_are_those_of_the_published_numbers() -> None:
    assert Protocol() == Protocol("procedural", "test", (5,), (), (0.4,), 0, 1300, 0, True, 0, ())


def test_a_model_runs_at_its_fewest_and_most_iterations_unless_told() -> None:
    assert Protocol().for_model("implicit-384", 1).iterations == (1,)
    assert Protocol().for_model("direct", 8).iterations == (1, 8)
    assert Protocol(iterations=(4, 2)).for_model("direct", 8).iterations == (4, 2)


def test_the_old_name_of_the_refinement_is_taken_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="search_steps: the argument is named refinement_steps now") as warned:
        protocol = Protocol(search_steps=3)
    assert protocol == Protocol(refinement_steps=3)
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"views": 5}, "views: expected a tuple of numbers, none twice, got 5"),
        ({"views": ()}, "views: expected at least one"),
        ({"views": (5, 5)}, r"views: .*none twice, got \(5, 5\)"),
        ({"views": (0,)}, r"views: expected whole numbers above 0, got \(0,\)"),
        ({"iterations": (1.5,)}, "iterations: expected whole numbers"),
        ({"num_bytes": (0,)}, "num_bytes: expected whole numbers"),
        ({"num_bytes": 128}, "num_bytes: expected a tuple of numbers"),
        ({"thresholds": ()}, "thresholds: expected at least one"),
        ({"thresholds": (0.4, 1.0)}, r"thresholds: expected numbers in \[0, 1\)"),
        ({"thresholds": (math.nan,)}, "thresholds: expected numbers"),
        ({"split": "x"}, "split: expected one of train, val, test, got 'x'"),
        ({"refinement_steps": 1.5}, "refinement_steps: expected a whole number, 0 or more, got 1.5"),
        ({"first": -1}, "first: expected a whole number, 0 or more, got -1"),
        ({"objects": -1}, "objects: expected a whole number, 0 or more, got -1"),
    ],
)
def test_a_protocol_refuses(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Protocol(**fields)


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        (Protocol(iterations=(1, 2)), "iterations: expected 1 with m, which has one code a view, got 2"),
        (Protocol(num_bytes=(128,)), r"num_bytes: expected none with m, whose rates are iterations, got \(128,\)"),
    ],
)
def test_a_protocol_that_a_model_of_one_rate_cannot_run(protocol: Protocol, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        protocol.for_model("m", 1)


def test_more_iterations_than_a_model_has() -> None:
    with pytest.raises(ValueError, match="iterations: expected 1 to 8 with m, got 9"):
        Protocol(iterations=(9,)).for_model("m", 8)


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        (Protocol(), "num_bytes: expected at least one size with jpeg, got none"),
        (Protocol(num_bytes=(9,), iterations=(1,)), "iterations: expected none with jpeg"),
        (Protocol(num_bytes=(9,), refinement_steps=1), "refinement_steps: expected 0 with jpeg, got 1"),
    ],
)
def test_a_protocol_that_a_classical_codec_cannot_run(protocol: Protocol, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        protocol.for_classical("jpeg")


def test_rules_say_what_the_protocol_and_the_measures_mean() -> None:
    words = rules(Protocol(first=7, views=(1, 3), refinement_steps=5), ("psnr", "l1"))
    assert words["split"] == "procedural, split test, objects of the thirteen categories, from object 7 on"
    assert words["views"].startswith("3 random views of each object, cameras and lights of seed 0")
    assert "refinement_steps" in words
    assert "num_bytes" not in words
    assert [name for name in words if name in measure_rules()] == ["l1", "psnr"]
    assert "images" not in rules(Protocol(), ("iou",))
