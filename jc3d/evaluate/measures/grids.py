"""How well a grid fits the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from torch import Tensor

from jc3d.data.samples import ObjectSample
from jc3d.evaluate.measures.registry import register_measures
from jc3d.evaluate.protocol import Protocol
from jc3d.evaluate.report import Report
from jc3d.evaluate.rows import ALL, MACRO, Row, Value
from jc3d.evaluate.rules import SIZES
from jc3d.evaluate.table_parts import BYTES, count, data_words, new_table, sizes, spread
from jc3d.geometry.quarter_turns import best_turn
from jc3d.metrics import turned_ious
from jc3d.models.capabilities import ReconstructsShape

_RULES = {
    "iou": "of the grid; a cell is occupied where its probability is above the threshold",
    "iou_best_turn": "IoU with the best of the four quarter turns of the truth",
}
_MEANS = (
    "mean ± std over all objects, macro: mean of the categories' means; best turn: of the truth's four quarter turns"
)


def shape_values(prob: Tensor, truth: Tensor, thresholds: Sequence[float]) -> Iterator[Value]:
    """IoU of one object as predicted and with the best quarter turn of the truth, at each threshold.

    Args:
        prob: (32, 32, 32) probabilities.
        truth: (32, 32, 32) bool.
        thresholds: τ.
    """
    ious = turned_ious(prob, truth, thresholds)  # (thresholds, turns)
    best = ious.take_along_dim(best_turn(ious)[:, None], dim=1)[:, 0]
    for threshold, plain, turned in zip(thresholds, ious[:, 0].tolist(), best.tolist(), strict=True):
        yield Value("iou", plain, threshold)
        yield Value("iou_best_turn", turned, threshold)


def shape_tables(report: Report) -> Iterator[Table]:
    """All settings side by side where there are several, and each by category."""
    shapes = report.select(measure="iou", group=ALL)
    if len(shapes) > 1:
        yield _settings(report, shapes)
    for row in shapes:
        yield _categories(report, row)


@register_measures(
    ReconstructsShape,
    receive=lambda codec, codes: codec.reconstruct(codes).cpu(),
    rules=_RULES,
    by_category=True,
    tables=shape_tables,
)
def measure(grid: Tensor, sample: ObjectSample, protocol: Protocol) -> Iterator[Value]:
    """:func:`shape_values` of an object's grid."""
    return shape_values(grid, sample.grid, protocol.thresholds)


def _settings(report: Report, shapes: Sequence[Row]) -> Table:
    table = new_table(
        f"{report.name}: mIoU of {count(report.objects, 'object')}",
        f"{data_words(report)}; {BYTES}; occupied above τ; {_MEANS}",
        ("views", "iter.", "τ", "codes/file", "mIoU", "macro", "best turn", "macro"),
    )
    for row in shapes:
        plain, best = (_by_group(report, row, measure) for measure in _RULES)
        table.add_row(
            str(row.views),
            str(row.iterations),
            str(row.threshold),
            sizes(report, row.setting),
            spread(plain[ALL]),
            f"{plain[MACRO].mean:.3f}",
            spread(best[ALL]),
            f"{best[MACRO].mean:.3f}",
        )
    return table


def _categories(report: Report, row: Row) -> Table:
    payload, file = (report.size(row.setting, measure).mean for measure in SIZES)
    ratios = [report.ratio(row.setting, measure) for measure in SIZES]
    table = new_table(
        f"{report.name}: mIoU, {count(row.views, 'view')}, {count(row.iterations or 1, 'iteration')}, "
        f"τ = {row.threshold}",
        f"{data_words(report)}; {payload:.0f} bytes of codes an object ({ratios[0]:.1f}:1), a file of "
        f"{file:.0f} ({ratios[1]:.1f}:1); occupied above {row.threshold}; {_MEANS}",
        ("category", "objects", "mIoU", "best turn"),
    )
    table.columns[0].justify = "left"
    plain, best = (_by_group(report, row, measure) for measure in _RULES)
    for group in plain:
        if group != MACRO:
            table.add_row(group, str(plain[group].count), spread(plain[group]), spread(best[group]))
    under_means = " " * len(" ± 0.000")
    table.add_row("macro", "", *(f"{rows[MACRO].mean:.3f}{under_means}" for rows in (plain, best)))
    return table


def _by_group(report: Report, row: Row, measure: str) -> dict[str, Row]:
    """The rows of a measure at the setting and threshold of a row."""
    rows = report.select(**row.setting._asdict(), threshold=row.threshold, measure=measure)
    return {each.group: each for each in rows}
