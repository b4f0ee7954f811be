"""``jc3d evaluate``: a front end of `jc3d.evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from jc3d.cli.console import console
from jc3d.cli.options import DEFAULT_MODEL, MOST, Device, Model

_NO_PROTOCOL = ("model", "device", "output")
_SEVERAL = ("views", "iterations", "thresholds", "num_bytes")

# An option that is not given is None here, so that its default stands once, in jc3d.evaluate.Protocol.


def evaluate(
    model: Model = DEFAULT_MODEL,
    data: Annotated[str | None, typer.Option(help="procedural, meshes=FOLDER, shards=FOLDER or r2n2=FOLDER.")] = None,
    split: Annotated[Literal["train", "val", "test"] | None, typer.Option(help="Which part of the data.")] = None,
    views: Annotated[
        list[int] | None, typer.Option(min=1, help="Random views of each object. Repeat it for several settings.")
    ] = None,
    iterations: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Of each view's code; if not given, the fewest and the most. Repeat it."),
    ] = None,
    thresholds: Annotated[
        list[float] | None,
        typer.Option(
            "--threshold", min=0.0, max=MOST, help="A cell is occupied where its probability is above this. Repeat it."
        ),
    ] = None,
    first: Annotated[int | None, typer.Option(min=0, help="Index in the split of the first object.")] = None,
    objects: Annotated[int | None, typer.Option(min=0, help="At most so many objects; 0 for all of the rest.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draws cameras and lights.")] = None,
    refinement_steps: Annotated[
        int | None, typer.Option(min=0, help="Gradient steps with which the sender improves the codes of images.")
    ] = None,
    num_bytes: Annotated[
        list[int] | None, typer.Option(min=1, help="Bytes a view of a classical codec. Repeat it.")
    ] = None,
    thirteen: Annotated[
        bool | None, typer.Option("--thirteen/--all-objects", help="Count only objects of the thirteen categories.")
    ] = None,
    device: Device = "cpu",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report as JSON.", show_default=False)
    ] = None,
) -> None:
    """Measure the shapes, mean IoU by category, and the images of models that decode; the protocol below each table."""
    given = {name: value for name, value in locals().items() if name not in _NO_PROTOCOL and value not in (None, [])}

    from jc3d.evaluate import Protocol, tables
    from jc3d.evaluate import evaluate as run

    for name in _SEVERAL:
        if name in given:
            given[name] = tuple(given[name])
    report = run(model, Protocol(**given), progress=sys.stderr.isatty(), device=device)
    if output is not None:
        report.save(output)
    for table in tables(report):
        console.print(table)
