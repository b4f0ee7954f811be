"""``jc3d train``: a front end of `jc3d.train`, with an option for every setting of a run and of its task."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jc3d.cli.console import console, print_facts, warn_renamed
from jc3d.cli.dataclass_options import Options, hidden, options, shared_options
from jc3d.train.recipes import RECIPES

if TYPE_CHECKING:
    from jc3d.train import TrainConfig
    from jc3d.train.plan import Run


def train_options() -> Options:
    """Those of every run, those of the tasks, and old names of either."""
    from jc3d.train.config import TrainConfig
    from jc3d.train.settings import RENAMED
    from jc3d.train.tasks.registry import tasks

    settings = {name: entry.settings for name, entry in sorted(tasks().items())}
    found = [*options(TrainConfig, skip=("task",)), *shared_options(settings, "task")]
    return found + [hidden(each, RENAMED[each.name]) for each in found if each.name in RENAMED]


def train(
    recipe: Annotated[
        str | None,
        typer.Option(
            help=f"Run a documented training, phase by phase: {', '.join(RECIPES)}. "
            "Other options that are given replace its settings in every phase."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Train nothing; say what would run, what it needs and about how long.")
    ] = False,
    **given: Any,
) -> None:
    """Train a model; several processes with `torchrun --nproc-per-node N -m jc3d train`."""
    from jc3d.train.plan import plan, single
    from jc3d.train.settings import RENAMED

    for new, old in RENAMED.items():
        if old in given:
            warn_renamed(f"--{old.replace('_', '-')}", f"--{new.replace('_', '-')}")
            given[new] = given.pop(old)
    runs = plan(recipe, **given) if recipe else [single(**given)]
    if dry_run:
        from jc3d.cli.dry_run import print_plan

        print_plan(recipe, runs)
    elif recipe:
        _run_recipe(recipe, runs)
    else:
        _run(runs[0].config)


def _run_recipe(name: str, runs: list[Run]) -> None:
    from jc3d.train.plan import missing

    absent = missing(runs)
    if absent:
        files = ", ".join(f"{path} ({what})" if what else str(path) for path, what in absent.items())
        raise ValueError(f"recipe: expected {files}, which {name} needs, got nothing there; see --dry-run")
    for number, run in enumerate(runs, 1):
        console.print(f"{name}, phase {number} of {len(runs)}: {run.phase.name}", soft_wrap=True)
        if run.is_done:
            console.print(f"{run.weights}: there already", soft_wrap=True)
        else:
            _run(run.config)


def _run(config: TrainConfig) -> None:
    from jc3d.train import train as run

    facts = {each.name: getattr(part, each.name) for part in (config, config.task) for each in fields(part)}
    print_facts({name: str(value) for name, value in facts.items() if name != "task"})
    console.print(f"{run(config)}: the weights of the best checkpoint", soft_wrap=True)
