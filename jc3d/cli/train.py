"""``jc3d train``: a front end of `jc3d.train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from jc3d.cli.console import console, print_facts

# An option that is not given is None here, so that its default stands once, in jc3d.train.TrainConfig.


def train(
    preset: Annotated[str | None, typer.Option(help="Architecture, see `jc3d models`.")] = None,
    init: Annotated[
        list[str] | None,
        typer.Option(help="Start from a packaged model or a .safetensors file; PART=... for a part. Repeat it."),
    ] = None,
    frozen: Annotated[
        list[str] | None, typer.Option(help="Part of the model that stays as it is, such as compressor. Repeat it.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the run; else runs/PRESET.")] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="Training objects: procedural, or meshes=, shards= or r2n2=FOLDER; then @WEIGHT. Repeat it."),
    ] = None,
    val_data: Annotated[list[str] | None, typer.Option(help="Validation objects, written alike. Repeat it.")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Objects a step, over all processes.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak of the learning rate.")] = None,
    gate_rate: Annotated[float | None, typer.Option(help="Share of it for a matrix into the gates.")] = None,
    reconstruction_rate: Annotated[
        float | None, typer.Option(help="Share of the rate for what reconstructs in a joint model.")
    ] = None,
    iterations: Annotated[int | None, typer.Option(help="Of codes that have several; 0: random ones.")] = None,
    min_iterations: Annotated[int | None, typer.Option(help="Fewest iterations that are drawn.")] = None,
    ssim_weight: Annotated[float | None, typer.Option(help="Weight of 1 - SSIM in the image loss.")] = None,
    colour_weight: Annotated[
        float | None, typer.Option(help="Weight of the square of colour differences in the image loss.")
    ] = None,
    compression_weight: Annotated[
        float | None, typer.Option(help="Weight of the image loss beside the occupancy loss.")
    ] = None,
    iou_weight: Annotated[float | None, typer.Option(help="Weight of the soft IoU beside the cross-entropy.")] = None,
    pose_weight: Annotated[float | None, typer.Option(help="Weight of the loss of the poses.")] = None,
    forced: Annotated[float | None, typer.Option(help="Share of objects placed by their true poses.")] = None,
    warmup: Annotated[int | None, typer.Option(help="Steps of linear warm-up.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Decoupled weight decay.")] = None,
    min_views: Annotated[int | None, typer.Option(help="Fewest views of an object in a step.")] = None,
    max_views: Annotated[int | None, typer.Option(help="Most views of an object in a step.")] = None,
    val_objects: Annotated[int | None, typer.Option(help="Objects validated on, from each source.")] = None,
    checkpoint_every: Annotated[int | None, typer.Option(help="Steps between checkpoints, each validated.")] = None,
    precision: Annotated[
        Literal["32-true", "bf16-mixed"] | None, typer.Option(help="Mixed precision of the steps.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seeds the weights and the data.")] = None,
    workers: Annotated[int | None, typer.Option(help="Data processes of each training process.")] = None,
    threads: Annotated[int | None, typer.Option(help="Torch threads of each process; 0: torch's choice.")] = None,
    resume: Annotated[
        bool | None, typer.Option("--resume/--no-resume", help="Continue from the last checkpoint of the folder.")
    ] = None,
    progress: Annotated[bool | None, typer.Option("--progress/--no-progress", help="Show a progress bar.")] = None,
) -> None:
    """Train a model; several processes with [bold]torchrun --nproc-per-node N -m jc3d train[/bold]."""
    given = {name: value for name, value in locals().items() if value not in (None, [])}

    from jc3d.train import TrainConfig
    from jc3d.train import train as run

    for name in ("init", "frozen", "data", "val_data"):
        if name in given:
            given[name] = tuple(given[name])
    config = TrainConfig(**given)
    print_facts({name: str(getattr(config, name)) for name in TrainConfig.__dataclass_fields__})
    console.print(f"{run(config)}: the weights of the best checkpoint", soft_wrap=True)
