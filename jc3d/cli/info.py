"""``jc3d info``: what a ``.jc3d`` file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jc3d.cli.console import console, cost, print_facts


def info(file: Annotated[Path, typer.Argument(help="A .jc3d file.", show_default=False)]) -> None:
    """Check a [bold].jc3d[/bold] file and show its fields, sizes and compression ratios."""
    from jc3d import models
    from jc3d.codec import Codes
    from jc3d.codec.wire import VERSION

    codes = Codes.load(file)
    height, width = codes.image_size
    kind = "bits" if codes.binary else f"bits = {codes.code_bits // 32} float32 numbers"
    console.print(f"{file}: valid, wire format {VERSION}", soft_wrap=True)
    print_facts(
        {
            "model": models.find(codes.fingerprint) or "unknown (none of the packaged ones)",
            "fingerprint": codes.fingerprint.hex(),
            "views": str(codes.num_views),
            "iterations": str(codes.iterations),
            "code": f"{codes.code_bits} {kind} a view and iteration",
            "images": f"{height} x {width} pixels (height x width)",
            **cost(codes),
        }
    )
