"""The help of commands with many options: an option's names stand on a line of their own, its description below.

Typer's own panels give names, types and descriptions a column each; in 80 columns long names are cut there, and
descriptions are left a word or two a line.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text
from typer.core import TyperCommand

_OWN = "Options"  # heading of what has none of its own


class LongHelpCommand(TyperCommand):
    """A command that shows its help so; the texts are taken as they are, without markup."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Prints the help; the formatter is left empty, as typer leaves it."""
        console = Console(highlight=False)
        self._print(console, self.get_usage(ctx), 1)
        console.print()
        self._print(console, " ".join((self.help or "").split()), 1)
        for heading, records in self._records(ctx).items():
            console.print(Text(f"\n {heading}", style="bold"))
            for names, text in records:
                console.print(Text(f"  {names}", style="cyan"))
                self._print(console, " ".join(text.split()), 6)

    @staticmethod
    def _print(console: Console, text: str, indent: int) -> None:
        console.print(Padding(Text(text), (0, 1, 0, indent)))

    def _records(self, ctx: Any) -> dict[str, list[tuple[str, str]]]:
        """Names and description of every option by heading, the command's own first."""
        found: dict[str, list[tuple[str, str]]] = {_OWN: []}
        for each in self.get_params(ctx):
            record = each.get_help_record(ctx)
            if record is not None:
                found.setdefault(getattr(each, "rich_help_panel", None) or _OWN, []).append(record)
        return found
