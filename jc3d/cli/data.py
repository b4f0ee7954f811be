"""``jc3d data``: folders of training and test objects."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jc3d.cli.console import console, new_progress, new_table

PROBLEMS = 1  # exit code

data = typer.Typer(rich_markup_mode="rich")


@data.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """Look at folders of training and test objects."""
    if context.invoked_subcommand is None:
        console.print(context.get_help())


@data.command()
def check(
    folder: Annotated[
        Path, typer.Argument(help="Holds ShapeNetRendering and ShapeNetVox32, as 3D-R2N2 has them.", show_default=False)
    ],
    decode: Annotated[bool, typer.Option("--decode", help="Decode every image too.")] = False,
) -> None:
    """Say what is missing or damaged in a folder of the layout of 3D-R2N2; the exit code is 1 if anything is."""
    from jc3d.data.categories import SYNSETS
    from jc3d.data.r2n2_folder import R2N2Folder

    opened = R2N2Folder(folder)
    keys = {split: opened.objects(split) for split in ("train", "test")}
    total = sum(len(of_split) for of_split in keys.values())
    with new_progress() as progress:
        task = progress.add_task("objects", total=total)
        problems = opened.check(decode, lambda done: progress.update(task, completed=done))
    table = new_table("category", *keys)
    for name, synset in SYNSETS.items():
        table.add_row(name, *(str(sum(key.synset == synset for key in of_split)) for of_split in keys.values()))
    console.print(table)
    for problem in problems:
        console.print(problem, soft_wrap=True, markup=False)
    console.print(f"{folder}: {total} objects, {len(problems)} problems", soft_wrap=True, markup=False)
    if problems:
        raise typer.Exit(PROBLEMS)
