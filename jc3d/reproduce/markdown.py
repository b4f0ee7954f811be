"""Markdown as the repository has it: prose wrapped at 100, tables, and generated blocks in pages written by hand."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 100
_UNBREAKABLE = "\x00"  # stands for a space while lines are broken


def prose(text: str, indent: str = "") -> str:
    """A paragraph, wrapped; what stands between backticks keeps to one line.

    Args:
        text: its words; how they are spread over lines does not matter.
        indent: before every line but the first, for the items of a list.
    """
    words = re.sub("`[^`]*`", lambda code: code[0].replace(" ", _UNBREAKABLE), " ".join(text.split()))
    lines = textwrap.fill(words, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return lines.replace(_UNBREAKABLE, " ")


def bullet(text: str) -> str:
    """An item of a list, wrapped."""
    return prose(f"- {text}", indent="  ")


def commands(*texts: str) -> str:
    """Commands of a shell in a block of their own, folded before options."""
    return "```sh\n" + "\n".join(map(_folded, texts)) + "\n```"


def _folded(text: str) -> str:
    first, *options = re.split(" (?=-)", text)
    lines = [first]
    for option in options:
        if len(lines[-1]) + 1 + len(option) > WIDTH - 4:  # room for what folds the line
            lines.append(option)
        else:
            lines[-1] += f" {option}"
    return " \\\n  ".join(lines)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """A table whose first columns are ``texts`` and whose others are numbers."""
    ruler = ["---"] * texts + ["---:"] * (len(header) - texts)
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, ruler, *rows))


def page(*blocks: str) -> str:
    """Blocks with an empty line between them."""
    return "\n\n".join(blocks) + "\n"


def with_block(text: str, name: str, content: str) -> str:
    """A page with its generated block ``<!-- name -->`` … ``<!-- /name -->`` replaced.

    Raises:
        ValueError: the page does not have just one such block.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, *rest = text.split(start)
    after = rest[0].split(end) if len(rest) == 1 else []
    if len(after) != 2:
        raise ValueError(f"page: expected one block between {start} and {end}, got {len(rest)} starts")
    return f"{before}{start}\n{content}\n{end}{after[1]}"
