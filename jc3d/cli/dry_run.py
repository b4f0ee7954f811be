"""``jc3d train --dry-run``: what would run, what it needs, and about how long it takes on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jc3d.cli.console import console, print_facts

if TYPE_CHECKING:
    from jc3d.train.plan import Run


def print_plan(recipe: str | None, runs: Sequence[Run]) -> None:
    """Prints a plan, measuring a few steps of each run that is not done.

    Args:
        recipe: name of the recipe that the runs are of; None: none.
        runs: in order.
    """
    from jc3d.train.plan import missing
    from jc3d.train.recipes import recipe as recipe_of

    if recipe:
        console.print(f"[bold]{recipe}[/bold]: {recipe_of(recipe).about}", soft_wrap=True)
    total = _print_renderings(recipe, runs) if recipe else 0.0
    for path, what in missing(runs).items():
        console.print(f"[bold]missing[/bold] {path}{f': {what}' if what else ''}", soft_wrap=True)
    for number, run in enumerate(runs, 1):
        console.print(f"\n[bold]{number}. {run.phase.name}[/bold]")
        total += _print_run(run)
    console.print(f"\nin all about {_in_words(total)} on this machine", soft_wrap=True)


def _print_renderings(recipe: str, runs: Sequence[Run]) -> float:
    from jc3d.train.duration import seconds_to_render
    from jc3d.train.plan import to_render

    total = 0.0
    for rendering, split in to_render(recipe, runs):
        console.print(f"[bold]render first[/bold] {rendering.command(split)}", soft_wrap=True)
        if rendering.source == "procedural":
            seconds = seconds_to_render(rendering.source, rendering.views)
            spent = seconds * rendering.splits[split] / (os.cpu_count() or 1)
            console.print(f"  about {_in_words(spent)}: {seconds:.2f} s an object, measured on three, on all cores")
            total += spent
        else:
            console.print("  FOLDER is yours, so its time is not measured")
    return total


def _print_run(run: Run) -> float:
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
        return 0.0
    spent = measure(config)
    data = "on its data" if spent.own_data else "on one generated object, as its data are not there yet"
    facts["time"] = (
        f"about {_in_words(spent.total)}: {spent.step:.2f} s a step, the mean of {spent.measured_steps} measured here "
        f"{data}; {_in_words(spent.validation)} a validation, from one batch; from the first step on"
    )
    print_facts(facts)
    return spent.total


def _in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"
