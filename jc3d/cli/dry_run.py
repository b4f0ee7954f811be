"""``jc3d train --dry-run``: what would run, what it needs, and about how long it takes on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from jc3d.cli.console import console, print_facts

if TYPE_CHECKING:
    from jc3d.train.plan import Run
    from jc3d.train.recipes import Rendering


class Estimate(NamedTuple):
    """What some work takes.

    Attributes:
        seconds: of all that was measured.
        left_out: what was not, in words.
    """

    seconds: float = 0.0
    left_out: tuple[str, ...] = ()

    def plus(self, other: Estimate) -> Estimate:
        """Of both; what is left out twice is named once."""
        left_out = dict.fromkeys((*self.left_out, *other.left_out))
        return Estimate(self.seconds + other.seconds, tuple(left_out))


def print_plan(recipe: str | None, runs: Sequence[Run]) -> None:
    """Prints a plan, measuring a few steps of each run that is not done.

    Args:
        recipe: name of the recipe that the runs are of; None: none.
        runs: in order.
    """
    from jc3d.train.plan import missing, to_render
    from jc3d.train.recipes import recipe as recipe_of

    if recipe:
        console.print(f"[bold]{recipe}[/bold]: {recipe_of(recipe).about}", soft_wrap=True)
    renderings = to_render(recipe, runs) if recipe else []
    total = _print_renderings(renderings)
    rendered = {Path(rendering.folder) for rendering, _split in renderings}
    for path, what in missing(runs).items():
        if path in rendered:
            continue
        console.print(f"[bold]missing[/bold] {path}{f': {what}' if what else ''}", soft_wrap=True)
    for number, run in enumerate(runs, 1):
        console.print(f"\n[bold]{number}. {run.phase.name}[/bold]")
        total = total.plus(_print_run(run))
    without = f", without {', '.join(total.left_out)}" if total.left_out else ""
    console.print(f"\nin all about {_in_words(total.seconds)} on this machine{without}", soft_wrap=True)


def _print_renderings(renderings: Sequence[tuple[Rendering, str]]) -> Estimate:
    from jc3d.train.duration import seconds_to_render

    total = Estimate()
    for rendering, split in renderings:
        console.print(f"[bold]render first[/bold] {rendering.command(split)}", soft_wrap=True)
        if rendering.source == "procedural":
            with _measuring("how long an object takes to render, on four of them"):
                seconds = seconds_to_render(rendering.source, rendering.views)
            spent = seconds * rendering.splits[split] / (os.cpu_count() or 1)
            console.print(f"  about {_in_words(spent)}: {seconds:.2f} s an object, measured on three, on all cores")
            total = total.plus(Estimate(spent))
        else:
            console.print("  FOLDER is yours, so its time is not measured")
            total = total.plus(Estimate(left_out=(f"the rendering of {rendering.source}",)))
    return total


def _measuring(what: str) -> AbstractContextManager[Any]:
    """Says on a terminal what is measured, until that is done."""
    return Console(stderr=True).status(f"measuring {what}")


def _print_run(run: Run) -> Estimate:
    from jc3d.train.duration import measure
    from jc3d.train.recipes import command

    config = run.config
    console.print(command(run.phase.settings), soft_wrap=True)
    facts = {
        "weights": str(run.weights),
        "starts from": ", ".join(config.init) or "fresh weights",
        "steps": f"{config.steps} of {config.batch_size} objects with {config.min_views} to {config.max_views} views",
    }
    if run.phase.commit:
        facts["commit"] = f"{run.phase.commit} trained the packaged weights so"
    if run.phase.note:
        facts["note"] = run.phase.note
    if run.is_done:
        print_facts(facts | {"time": "none, it is done"})
        return Estimate()
    with _measuring(f"{run.phase.name}: some steps and validation, about half a minute"):
        spent = measure(config)
    data = "on its data" if spent.own_data else "on one generated object, as its data are not there yet"
    facts["time"] = (
        f"about {_in_words(spent.total)}: {spent.step:.2f} s a step, the mean of {spent.measured_steps} measured here "
        f"{data}; {_in_words(spent.validation)} a validation, from one batch; from the first step on"
    )
    print_facts(facts)
    return Estimate(spent.total, () if spent.own_data else ("the loading of data that are not there yet",))


def _in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"
