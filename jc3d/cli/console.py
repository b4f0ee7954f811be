"""What the commands print: facts and tables to stdout, progress to stderr."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from rich.progress import Progress

    from jc3d.codec import Codes

console = Console(highlight=False)


def print_facts(facts: Mapping[str, str]) -> None:
    """Prints names and values, one a line."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, value)
    console.print(table)


def new_table(*columns: str) -> Table:
    """A table whose first column is text and whose others are numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(columns[0], overflow="fold", min_width=20)
    for column in columns[1:]:
        table.add_column(column, justify="right")
    return table


def new_progress() -> Progress:
    """A progress bar that is gone when the work is done, and silent where stderr is no terminal."""
    # Here, as `jc3d --help` needs none and has to answer at once.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    screen = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )


def warn_renamed(old: str, new: str) -> None:
    """Says on stderr that an option has another name; the old one is taken for a release."""
    Console(stderr=True).print(f"jc3d: {old} is named {new} now", highlight=False, markup=False)


def cost(codes: Codes) -> dict[str, str]:
    """How the size of codes is said everywhere."""
    return {
        "payload": f"{codes.payload_bytes} bytes ({codes.payload_bytes / codes.num_views:g} a view)",
        "file": f"{codes.num_bytes} bytes",
        "ratio": f"{codes.ratio_payload:.1f}:1 by payload, {codes.ratio_file:.1f}:1 by file",
    }
