"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

DEFAULT_MODEL = "implicit-384"

MOST = 1.0 - 2.0**-24  # no float32 probability is above 1

Model = Annotated[
    str, typer.Option("--model", "-m", help="A packaged model (see `jc3d models`) or the path of a .safetensors file.")
]
Device = Annotated[str, typer.Option(help="Where to compute, such as cpu or cuda.")]
Threshold = Annotated[
    float, typer.Option(min=0.0, max=MOST, help="A cell is occupied where its probability is above this.")
]
