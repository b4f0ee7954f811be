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
    part: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FILE", help="Write a part by its name, whatever the model's family calls it."),
    ] = None,
) -> None:
    """Write a model's parts as [bold].onnx[/bold] (any ONNX runtime) or [bold].pt2[/bold] (torch.export) files."""
    from jc3d import models
    from jc3d.export.model_parts import OPSET, check_path, export_part, parts_of

    options = {"encoder": encoder, "step": step, "decoder": decoder}
    wanted = [(name, path) for name, path in options.items() if path is not None]
    wanted += [_named_part(text) for text in part or ()]
    # All that can be wrong is found before anything is written.
    if not wanted:
        raise ValueError("export: expected at least one of --encoder, --step, --decoder and --part, got none")
    if len({path.resolve() for _, path in wanted}) < len(wanted):
        raise ValueError("export: expected a file of its own for each part, got the same one twice")
    suffixes = [check_path(path) for _, path in wanted]
    loaded = models.load(model)
    parts = parts_of(loaded)
    for name, _ in wanted:
        if name not in parts:
            raise ValueError(f"part: expected one of {', '.join(parts)}, got {name!r}")
    for (name, path), suffix in zip(wanted, suffixes, strict=True):
        export_part(path, loaded, name)
        inputs = [f"{each} {_kind(example)}" for each, example in parts[name].inputs.items()]
        console.print(f"{path}: the {name} of {loaded.config.name}", soft_wrap=True)
        print_facts(
            {
                "format": f"ONNX, opset {OPSET}" if suffix == ".onnx" else "torch.export",
                "takes": ", ".join(inputs),
                "gives": ", ".join(parts[name].outputs),
                "size": f"{path.stat().st_size} bytes",
            }
        )
    print_facts({"fingerprint": loaded.fingerprint.hex()})


def _named_part(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not (name and path):
        raise ValueError(f"part: expected NAME=FILE, got {text!r}")
    return name, Path(path)


def _kind(example: Tensor) -> str:
    """Such as "uint8 (N, 128)"."""
    sizes = ", ".join(map(str, ("N", *example.shape[1:])))
    return f"{str(example.dtype).removeprefix('torch.')} ({sizes})"
