"""``jc3d reconstruct``: a ``.jc3d`` file to a grid, a mesh or a picture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from jc3d.cli.console import console, print_facts
from jc3d.cli.options import Device, Iterations, Partial, Threshold, Weights, read_codes
from jc3d.geometry.threshold import THRESHOLD


def reconstruct(
    codes: Annotated[Path, typer.Argument(help="A .jc3d file.", show_default=False)],
    output: Annotated[
        list[Path],
        typer.Option("--output", "-o", help="File to write; its ending is the format. Repeat it.", show_default=False),
    ],
    threshold: Threshold = THRESHOLD,
    surface: Annotated[
        bool, typer.Option("--surface", help="Meshes by marching cubes instead of the cells' faces.")
    ] = False,
    iterations: Iterations = None,
    partial: Partial = False,
    device: Device = "cpu",
    weights: Weights = None,
) -> None:
    """Reconstruct the shape from a [bold].jc3d[/bold] file: to .npz, .binvox, .ply, .obj, .glb or .png."""
    from jc3d import infer
    from jc3d.export import check_suffix, save_occupancy

    for path in output:  # before anything is written
        check_suffix(path)
    loaded, note = read_codes(codes, iterations, partial)
    start = time.perf_counter()
    grid = infer.reconstruct(loaded, device, weights).cpu()
    elapsed = time.perf_counter() - start
    for path in output:
        save_occupancy(path, grid, threshold, "surface" if surface else "boxes")
    console.print(f"{codes}: {loaded.num_views} views reconstructed{note}", soft_wrap=True)
    print_facts(
        {
            "occupied": f"{int((grid > threshold).sum())} of {grid.numel()} cells",
            "time": f"{1e3 * elapsed:.0f} ms, loading of the model included",
            "written": ", ".join(map(str, output)),
        }
    )
