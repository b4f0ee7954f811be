"""Options that several commands have, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from jc3d.codec import Codes

DEFAULT_MODEL = "implicit-384"

MOST = 1.0 - 2.0**-24  # no float32 probability is above 1

Model = Annotated[
    str, typer.Option("--model", "-m", help="A packaged model (see `jc3d models`) or the path of a .safetensors file.")
]
Device = Annotated[str, typer.Option(help="Where to compute, such as cpu or cuda.")]
Threshold = Annotated[
    float, typer.Option(min=0.0, max=MOST, help="A cell is occupied where its probability is above this.")
]
Iterations = Annotated[
    int | None,
    typer.Option(min=1, help="Use only so many of the iterations in the file; else all.", show_default=False),
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Take a file of which only the beginning has arrived: its whole iterations.")
]
Weights = Annotated[
    Path | None, typer.Option(help="The .safetensors file of a model that is not packaged.", show_default=False)
]


def read_codes(path: Path, iterations: int | None, partial: bool) -> tuple[Codes, str]:
    """The codes of a file as the options ask for them, and what is to be said of it.

    Raises:
        CodesError: the file is damaged, or holds fewer iterations than asked for.
        OSError: it cannot be read.
    """
    from jc3d.codec import Codes
    from jc3d.errors import CodesError

    note = ""
    if partial:
        found = Codes.load_prefix(path)
        codes = found.codes
        if found.missing_bytes:
            arrived = f"{codes.iterations} of {found.total_iterations} iterations"
            note = f" of {arrived}, {found.missing_bytes} bytes are missing, the checksum among them"
    else:
        try:
            codes = Codes.load(path)
        except CodesError as error:
            try:
                Codes.load_prefix(path)
            except CodesError:
                raise error from None
            raise CodesError(f"{error}; --partial takes what has arrived") from None
    return codes if iterations is None else codes.truncate(iterations), note
