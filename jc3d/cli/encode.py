"""``jc3d encode``: views to a ``.jc3d`` file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from jc3d.cli.console import console, cost, new_progress, print_facts, warn_renamed
from jc3d.cli.options import DEFAULT_MODEL, Device, Model


def encode(
    images: Annotated[list[Path], typer.Argument(help="Images of one object, one a view.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .jc3d file to write.", show_default=False)],
    model: Model = DEFAULT_MODEL,
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Of each view's code, where the model has several; else all.")
    ] = None,
    num_bytes: Annotated[
        int | None, typer.Option(min=1, help="Most bytes of the file: as many iterations as that allows.")
    ] = None,
    refinement_steps: Annotated[
        int, typer.Option(min=0, help="Gradient steps that improve the codes of images; 40 take seconds a view.")
    ] = 0,
    search_steps: Annotated[int | None, typer.Option(min=0, hidden=True)] = None,
    device: Device = "cpu",
) -> None:
    """Encode views of an object into a [bold].jc3d[/bold] file: 128 bytes a view with implicit-384."""
    from jc3d.codec import Codes
    from jc3d.errors import ImageError
    from jc3d.infer import load

    if search_steps is not None:
        warn_renamed("--search-steps", "--refinement-steps")
        refinement_steps = search_steps
    codec = load(model, device)
    start = time.perf_counter()
    if num_bytes is not None:  # the views share what the file may hold
        codes = codec.encode(images, iterations, num_bytes, refinement_steps)
    else:
        with new_progress() as progress:
            # One by one for the progress bar: a view's code does not depend on the others.
            tracked = progress.track(images, description="encoding")
            parts = [codec.encode(image, iterations, None, refinement_steps) for image in tracked]
        for image, part in zip(images, parts, strict=True):
            if part.image_size != parts[0].image_size:
                size = "{}x{} pixels (height x width)".format
                first = f"{size(*parts[0].image_size)} as {images[0]}"
                raise ImageError(f"{image}: expected {first}, got {size(*part.image_size)}")
        codes = Codes.join(parts)
    elapsed = time.perf_counter() - start
    codes.save(output)
    console.print(f"{output}: {codes.num_views} views with {codec.name}", soft_wrap=True)
    print_facts({**cost(codes), "time": f"{1e3 * elapsed / codes.num_views:.1f} ms a view"})
