"""Makes what is asked for and not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from jc3d.reproduce.artefacts import MADE, Artefact, Inputs, Page


def artefacts() -> dict[str, Artefact]:
    """All there is, by name, reports before what is made from them."""
    from jc3d.reproduce import joint_compression

    return {artefact.name: artefact for artefact in joint_compression.ARTEFACTS}


def chosen(names: Iterable[str]) -> list[Artefact]:
    """The artefacts of these names (``*`` stands for any characters) and what they are made from; of no name, all.

    Raises:
        ValueError: nothing has such a name.
    """
    every, wanted = artefacts(), set()
    for name in names:
        found = [each for each in every if fnmatchcase(each, name)]
        if not found:
            raise ValueError(f"name: expected one of {', '.join(every)}, got {name!r}")
        wanted |= set(found) | {needed.name for each in found for needed in every[each].needs}
    return [artefact for name, artefact in every.items() if not wanted or name in wanted]


def reproduce(
    names: Iterable[str],
    out: Path,
    inputs: Inputs,
    *,
    pages_only: bool = False,
    again: bool = False,
    say: Callable[[str], None] = print,
) -> list[str]:
    """Makes artefacts that are missing or outdated, one after another; a run that was stopped goes on where it was.

    Args:
        names: as for :func:`chosen`.
        out: folder of the results.
        inputs: what the user brings.
        pages_only: write pages from the reports that are there.
        again: make also what is there, or of other software.
        say: is told what happens, a line each time.

    Returns:
        Names of those that could not be made: an input or a report that they need is not there.

    Raises:
        ValueError: nothing has such a name.
        OSError: the folder cannot be written.
    """
    left, wanted = [], chosen(names)
    out.mkdir(parents=True, exist_ok=True)
    for artefact in wanted:
        if pages_only and not isinstance(artefact, Page):
            continue
        state = artefact.state(out)
        if not again and state in MADE:
            say(f"{artefact.name}: {state}")
        elif needed := artefact.lacks(out, inputs):
            left.append(artefact.name)
            say(f"{artefact.name}: not made, needs {needed}")
        else:
            say(f"{artefact.name}: being made")
            artefact.make(out, inputs)
    return left


def listed(names: Iterable[str], out: Path) -> Iterator[tuple[str, str, float, str]]:
    """Name, state, minutes on two cores, and command of artefacts."""
    for artefact in chosen(names):
        yield artefact.name, artefact.state(out), artefact.minutes, artefact.command
