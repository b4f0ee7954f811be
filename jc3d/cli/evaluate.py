"""``jc3d evaluate``: a front end of `jc3d.evaluate`, with an option for every field of its protocol."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from jc3d.cli.console import console, warn_renamed
from jc3d.cli.dataclass_options import Options, hidden, options
from jc3d.cli.options import DEFAULT_MODEL, Device


def evaluate_options() -> Options:
    """Those of the protocol, and its old names."""
    from jc3d.evaluate.protocol import RENAMED, Protocol

    found = options(Protocol)
    return found + [hidden(each, RENAMED[each.name]) for each in found if each.name in RENAMED]


def evaluate(
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            help="A packaged model (see `jc3d models`), a .safetensors file, or a classical codec, by --num-bytes: "
            "jpeg2000, jpeg or webp, and with -payload after it without counting headers.",
        ),
    ] = DEFAULT_MODEL,
    device: Device = "cpu",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report as JSON.", show_default=False)
    ] = None,
    **given: Any,
) -> None:
    """Measure the shapes, mean IoU by category, and the images of codecs that decode; the protocol below each table."""
    from jc3d.evaluate import evaluate as run
    from jc3d.evaluate import tables
    from jc3d.evaluate.protocol import RENAMED, Protocol

    for new, old in RENAMED.items():
        if old in given:
            warn_renamed(f"--{old.replace('_', '-')}", f"--{new.replace('_', '-')}")
            given[new] = given.pop(old)
    report = run(model, Protocol(**given), progress=sys.stderr.isatty(), device=device)
    if output is not None:
        report.save(output)
    for table in tables(report):
        console.print(table)
