"""``jc3d encode``: views to a ``.jc3d`` file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from jc3d.cli.console import console, cost, new_progress, print_facts
from jc3d.cli.options import DEFAULT_MODEL, Device, Model


def encode(
    images: Annotated[list[Path], typer.Argument(help="Images of one object, one a view.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .jc3d file to write.", show_default=False)],
    model: Model = DEFAULT_MODEL,
    device: Device = "cpu",
) -> None:
    """Encode views of an object into a [bold].jc3d[/bold] file: 128 bytes a view with implicit-384."""
    from jc3d.codec import Codes
    from jc3d.infer import load

    codec = load(model, device)
    with new_progress() as progress:
        start = time.perf_counter()
        # One by one for the progress bar: a view's code does not depend on the others.
        codes = Codes.join([codec.encode(image) for image in progress.track(images, description="encoding")])
        elapsed = time.perf_counter() - start
    codes.save(output)
    console.print(f"{output}: {codes.num_views} views with {codec.name}", soft_wrap=True)
    print_facts({**cost(codes), "time": f"{1e3 * elapsed / codes.num_views:.1f} ms a view"})
