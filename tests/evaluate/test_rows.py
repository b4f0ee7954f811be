"""From values to rows."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from jc3d.evaluate import Row, Setting
from jc3d.evaluate.rows import Tally, Value

ONE, TWO = Setting(5, 1, None), Setting(5, 2, None)


@pytest.fixture
def tally() -> Tally:
    tally = Tally("c", frozenset({"iou"}))
    for category, value in (("car", 0.5), ("other", 0.0), ("bench", 0.25), ("car", 1.0)):
        for setting in (ONE, TWO):
            tally.add(setting, category, [Value("payload_bytes", 7), Value("iou", value * setting.iterations, 0.4)])
    return tally


def test_categories_then_all_then_the_mean_of_their_means(tally: Tally) -> None:
    rows = [(row.group, row.count, row.mean, row.std) for row in tally.rows() if row.threshold and row.setting == ONE]
    assert rows == [
        ("bench", 1, 0.25, 0),
        ("car", 2, 0.75, 0.25),
        ("other", 1, 0, 0),
        ("all", 4, 0.4375, pytest.approx(math.sqrt(1.3125 / 4 - 0.4375**2))),
        ("macro", 3, pytest.approx(1 / 3), pytest.approx(math.sqrt(0.625 / 3 - 1 / 9))),
    ]


def test_rows_are_sorted_by_measure_then_setting(tally: Tally) -> None:
    order = [(row.measure, row.iterations) for row in tally.rows() if row.group == "all"]
    assert order == [("payload_bytes", 1), ("payload_bytes", 2), ("iou", 1), ("iou", 2)]


def test_measures_without_categories_have_one_row(tally: Tally) -> None:
    assert [(row.group, row.total) for row in tally.rows() if row.measure == "payload_bytes"] == [("all", 28)] * 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 0}, "count: expected at least 1, got 0"),
        ({"mean": math.nan}, "mean: expected a finite number, got nan"),
        ({"std": math.inf}, "std: expected a finite number, got inf"),
    ],
)
def test_a_row_refuses(change: dict[str, float], message: str) -> None:
    row = Row("c", "iou", 5, 1, None, 0.4, "all", 3, 0.5, 0.1)
    with pytest.raises(ValueError, match=message):
        replace(row, **change)
