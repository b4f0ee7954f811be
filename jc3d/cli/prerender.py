"""``jc3d prerender``: a front end of `jc3d.jobs.prerender`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from jc3d.cli.console import console, new_progress


def prerender(
    source: Annotated[
        str, typer.Argument(help="procedural, meshes=FOLDER or r2n2=FOLDER: what to render.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Argument(help="Folder of the shards; a split has a folder of its name in it.", show_default=False)
    ],
    count: Annotated[int, typer.Option(min=1, help="Objects.", show_default=False)],
    split: Annotated[Literal["train", "val", "test"], typer.Option(help="Of the source.")] = "train",
    first: Annotated[int, typer.Option(min=0, help="Number of the first object.")] = 0,
    views: Annotated[int, typer.Option(min=1, help="Views of an object.")] = 6,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; else one a core.", show_default=False)] = None,
) -> None:
    """Render objects once, into shards that trainings share ([bold]--data shards=OUT[/bold])."""
    from jc3d.jobs.prerender import prerender as run

    with new_progress() as progress:
        task = progress.add_task("objects", total=count)
        written = run(
            source,
            out,
            split,
            count=count,
            first=first,
            views=views,
            workers=workers,
            progress=lambda done: progress.update(task, completed=done),
        )
    there = f", {count - written} were there" if written < count else ""
    console.print(f"{out / split}: {written} objects rendered{there}", soft_wrap=True, markup=False)
