"""The ``jc3d`` command: one file a command, and here what they share with the shell.

Bad input of any kind is one line on stderr and exit code 2; ``--debug`` shows where it came from. Commands import torch
when they run, so that ``jc3d --help`` answers at once.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer

from jc3d.cli.console import console
from jc3d.cli.data import data
from jc3d.cli.dataclass_options import add_command
from jc3d.cli.decode import decode
from jc3d.cli.demo import demo
from jc3d.cli.encode import encode
from jc3d.cli.evaluate import evaluate, evaluate_options
from jc3d.cli.export import export
from jc3d.cli.info import info
from jc3d.cli.models import models
from jc3d.cli.prerender import prerender
from jc3d.cli.reconstruct import reconstruct
from jc3d.cli.reproduce import reproduce
from jc3d.cli.train import train, train_options
from jc3d.errors import MissingExtraError

BAD_INPUT = 2  # exit codes
INTERRUPTED = 130
TERMINATED = 143

app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
for _command in (encode, reconstruct, decode, info, demo, models, export, reproduce, prerender):
    app.command()(_command)
add_command(app, train, train_options)
add_command(app, evaluate, evaluate_options)
app.add_typer(data, name="data")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere.")] = False,
) -> None:
    """Send each view in 128 bytes; get the shape back."""
    if version:
        from jc3d._version import __version__

        console.print(f"jc3d {__version__}", highlight=False)
        raise typer.Exit
    if context.invoked_subcommand is None:
        console.print(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: of the command line, without the program's name; those of the process by default.

    Returns:
        The exit code: 0, 2 for bad input, 130 when interrupted.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    try:
        with _termination_as_exit():
            code = app([word for word in arguments if word != "--debug"], prog_name="jc3d", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        message = _message(error)
        if debug or message is None:
            raise
        print(f"jc3d: {message}", file=sys.stderr)
        return BAD_INPUT
    if code == INTERRUPTED:  # also how typer reports an interrupt
        print("jc3d: interrupted", file=sys.stderr)
    return code if isinstance(code, int) else 0


def _message(error: Exception) -> str | None:
    """What is wrong with the input, in one line; None if the error is not about the input."""
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    elif isinstance(error, ValueError | OSError | MissingExtraError):
        text = str(error)
    elif hasattr(error, "format_message"):  # typer's own, about the command line
        text = f"{error.format_message()} (see jc3d --help)"
    else:
        return None
    return " ".join(text.split())


@contextmanager
def _termination_as_exit() -> Iterator[None]:
    """Lets a ``kill`` unwind the stack, so that half-written temporary files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
