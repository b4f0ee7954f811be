"""What the tables of reports have in common."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from jc3d.evaluate.report import Report
from jc3d.evaluate.rows import Row, Setting
from jc3d.evaluate.rules import SIZES, rules

BYTES = "codes/file: bytes of an object's codes and of their file"


def new_table(title: str, caption: str, columns: Sequence[str]) -> Table:
    """An empty table, narrow enough for 80 columns: a number that is cut is none."""
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def data_words(report: Report) -> str:
    """Which objects and views."""
    words = rules(report.protocol, ())
    return f"{words['split']}; {words['views']}; {words['background']} background"


def sizes(report: Report, setting: Setting) -> str:
    """Mean bytes of codes and file; empty where they were not counted."""
    rows = [row for measure in SIZES for row in report.select(**setting._asdict(), measure=measure)]
    return "/".join(f"{row.mean:.0f}" for row in rows)


def spread(row: Row, digits: int = 3) -> str:
    """Mean and standard deviation."""
    return f"{row.mean:.{digits}f} ± {row.std:.{digits}f}"


def count(number: int, name: str) -> str:
    """How many of something."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
