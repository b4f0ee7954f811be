"""``jc3d decode``: a ``.jc3d`` file to images."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from jc3d.cli.console import console, cost, print_facts
from jc3d.cli.options import Device, Iterations, Partial, Weights, read_codes


def decode(
    codes: Annotated[Path, typer.Argument(help="A .jc3d file.", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for view-0.png, view-1.png, ...", show_default=False)
    ],
    iterations: Iterations = None,
    partial: Partial = False,
    device: Device = "cpu",
    weights: Weights = None,
) -> None:
    """Decode the views of a [bold].jc3d[/bold] file to PNG images, with the models that can."""
    from PIL import Image

    from jc3d import infer
    from jc3d.io.atomic import atomic_write
    from jc3d.io.images import to_uint8

    loaded, note = read_codes(codes, iterations, partial)
    start = time.perf_counter()
    for index in range(loaded.num_views):  # one after another: large images need not all be held
        view = replace(loaded, bits=loaded.bits[:, index : index + 1])
        image = to_uint8(infer.decode(view, device, weights)[0].cpu())
        output.mkdir(parents=True, exist_ok=True)
        with atomic_write(output / f"view-{index}.png") as file:
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(file, "PNG")
    elapsed = time.perf_counter() - start
    height, width = loaded.image_size
    console.print(f"{codes}: {loaded.num_views} views decoded{note}", soft_wrap=True)
    print_facts(
        {
            "images": f"{height} x {width} pixels (height x width)",
            "iterations": str(loaded.iterations),
            **cost(loaded),
            "time": f"{1e3 * elapsed:.0f} ms, loading of the model included",
            "written": f"{output}/view-*.png",
        }
    )
