"""A report for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from jc3d.evaluate.measures.registry import registered
from jc3d.evaluate.report import Report
from jc3d.evaluate.rows import ALL
from jc3d.evaluate.rules import NOT_MEASURED, SIZES, measure_rules
from jc3d.evaluate.table_parts import BYTES, data_words, new_table, sizes, spread


def tables(report: Report) -> Iterator[Table]:
    """The tables of each kind of measure, and one of all measures that have none; each with its protocol below."""
    shown: set[str] = set()
    for measures in registered():
        for table in measures.tables(report) if measures.tables else ():
            shown |= measures.rules.keys()
            yield table
    left = [measure for measure in report.measures if measure not in shown | NOT_MEASURED.keys()]
    if not shown and not left:  # nothing but what is counted: better than silence
        left = list(report.measures)
    if left:
        yield _others(report, left)


def _others(report: Report, measures: Sequence[str]) -> Table:
    """A row a measure, setting and group."""
    rows = [row for measure in measures for row in report.select(measure=measure)]
    words = measure_rules()
    has = {
        "iter.": any(row.iterations is not None for row in rows),
        "asked": any(row.num_bytes is not None for row in rows),
        "τ": any(row.threshold is not None for row in rows),
        "group": any(row.group != ALL for row in rows),
        "codes/file": any(sizes(report, row.setting) for row in rows) and not set(measures) <= set(SIZES),
    }
    notes = [data_words(report), *((BYTES,) if has["codes/file"] else ()), "mean ± std over all values"]
    table = new_table(
        f"{report.name}: {', '.join(measures)}",
        "; ".join([*notes, *(f"{measure}: {words[measure]}" for measure in measures if measure in words)]),
        ("measure", "views", *(name for name in has if has[name]), "values", "mean"),
    )
    table.columns[0].justify = "left"
    for row in rows:
        cells = {
            "iter.": row.iterations,
            "asked": row.num_bytes,
            "τ": row.threshold,
            "group": row.group,
            "codes/file": sizes(report, row.setting),
        }
        optional = ("" if cells[name] is None else str(cells[name]) for name in has if has[name])
        table.add_row(row.measure, str(row.views), *optional, str(row.count), spread(row))
    return table
