"""``jc3d export``: a model's parts as files that other runtimes read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jc3d.cli.console import console, print_facts

if TYPE_CHECKING:
    from torch import Tensor


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="A packaged model (see `jc3d models`) or the path of a .safetensors file.", show_default=False
        ),
    ],
    encoder: Annotated[
        Path | None,
        typer.Option(help="Write the encoder: views to codes, all that a camera needs.", show_default=False),
    ] = None,
    step: Annotated[
        Path | None, typer.Option(help="Write the recurrence: a view's code and the state so far.", show_default=False)
    ] = None,
    decoder: Annotated[
        Path | None, typer.Option(help="Write the decoder: the state to occupancy probabilities.", show_default=False)
    ] = None,
) -> None:
    """Write a model's parts as [bold].onnx[/bold] (any ONNX runtime) or [bold].pt2[/bold] (torch.export) files."""
    from jc3d import models
    from jc3d.export.model_parts import OPSET, check_path, export_part, parts_of

    parts = {"encoder": encoder, "step": step, "decoder": decoder}
    wanted = {part: path for part, path in parts.items() if path is not None}
    if not wanted:
        raise ValueError("export: expected at least one of --encoder, --step and --decoder, got none")
    if len({path.resolve() for path in wanted.values()}) < len(wanted):
        raise ValueError("export: expected a file of its own for each part, got the same one twice")
    suffixes = {part: check_path(path) for part, path in wanted.items()}  # before anything is written
    loaded = models.load(model)
    given = parts_of(loaded)
    for part, path in wanted.items():
        export_part(path, loaded, part)
        inputs = [f"{name} {_kind(example)}" for name, example in given[part].inputs.items()]
        console.print(f"{path}: the {part} of {loaded.config.name}", soft_wrap=True)
        print_facts(
            {
                "format": f"ONNX, opset {OPSET}" if suffixes[part] == ".onnx" else "torch.export",
                "takes": ", ".join(inputs),
                "gives": ", ".join(given[part].outputs),
                "size": f"{path.stat().st_size} bytes",
            }
        )
    print_facts({"fingerprint": loaded.fingerprint.hex()})


def _kind(example: Tensor) -> str:
    """Such as "uint8 (N, 128)"."""
    sizes = ", ".join(map(str, ("N", *example.shape[1:])))
    return f"{str(example.dtype).removeprefix('torch.')} ({sizes})"
