"""Calls of a tool's functions in processes of their own: nothing is warm, and memory is theirs alone."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

TOOLS = Path(__file__).parent
HELPERS = TOOLS.parent / "helpers"


def call(function: Callable[..., object], *arguments: object) -> list[str]:
    """The words that a function prints.

    Args:
        function: of a module in this folder; it may import those of bench/helpers.
        arguments: that are written as Python writes them.
    """
    module = Path(inspect.getfile(function)).stem
    code = f"from {module} import {function.__name__} as run; run(*{arguments!r})"
    # Allocator settings of the caller would show up as memory of the function.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    places = os.pathsep.join(filter(None, [str(TOOLS), str(HELPERS), environment.get("PYTHONPATH")]))
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "PYTHONPATH": places},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return run.stdout.split()
