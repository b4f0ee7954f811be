"""Puts trained weights among the packaged ones, in the source tree: ``python -m jc3d.jobs.package_weights FILE``.

No command of ``jc3d``, as it writes into the package; CONTRIBUTING.md says when it is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jc3d.errors import WeightsError
from jc3d.models.packaged import package_weights


def main(
    file: Annotated[Path, typer.Argument(help="The .safetensors file, such as a training wrote.", show_default=False)],
) -> None:
    """Put a weights file among the packaged ones, under its preset's name, and print where."""
    try:
        print(package_weights(file))
    except WeightsError as error:
        raise typer.BadParameter(str(error)) from error


if __name__ == "__main__":
    typer.run(main)
