"""``jc3d reproduce``: a front end of `jc3d.reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jc3d.cli.console import console


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="What to make, * for any characters; all if not given.", show_default=False
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List what there is, its state and its cost, and stop.")] = False,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the results; README.md and the model cards are two above.")
    ] = Path("docs/results"),
    data_folder: Annotated[
        Path | None, typer.Option(help="Folder with meshes, armchair and photos in it: stands for the next three.")
    ] = None,
    meshes: Annotated[Path | None, typer.Option(help="Folder of meshes with an index.csv.", show_default=False)] = None,
    armchair: Annotated[Path | None, typer.Option(help="Photographs of one object.", show_default=False)] = None,
    photos: Annotated[
        list[Path] | None, typer.Option(help="Folder of photographs, a picture each. Repeat it.", show_default=False)
    ] = None,
    weights: Annotated[
        list[Path] | None, typer.Option(help="A model that is not packaged, LABEL.safetensors. Repeat it.")
    ] = None,
    pages_only: Annotated[
        bool, typer.Option("--pages-only", help="Write pages from the reports that are there.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Make also what is there, or of other software.")] = False,
) -> None:
    """Measure, draw and write the published results again: what is missing, or of other weights than today's."""
    from jc3d.reproduce import Inputs, listed
    from jc3d.reproduce import reproduce as run

    if show:
        for name, state, minutes, command in listed(names or (), out):
            time = f"{minutes:.0f} min" if minutes >= 1 else f"{60 * minutes:.0f} s"
            cost = f", {time} on two cores" if minutes else ""
            console.print(f"[bold]{name}[/bold]: {state}{cost}\n    {command}", soft_wrap=True)
        return
    if data_folder is not None:
        meshes, armchair = meshes or data_folder / "meshes", armchair or data_folder / "armchair"
        photos = photos or [data_folder / "armchair", data_folder / "photos"]
    inputs = Inputs(meshes, armchair, tuple(photos or ()), {path.stem: path for path in weights or ()})
    left = run(
        names or (),
        out,
        inputs,
        pages_only=pages_only,
        again=again,
        say=lambda line: console.print(line, soft_wrap=True),
    )
    if left:
        raise typer.Exit(1)
