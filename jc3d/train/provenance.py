"""What a run starts from, in plain values: kept in its checkpoints and written into its weights."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from jc3d._version import __version__
from jc3d.train.config import TrainConfig


def provenance(config: TrainConfig, taken: str = "") -> dict[str, Any]:
    """Settings, command, the commit of the code that runs, and what was taken of other weights."""
    facts = {
        "config": as_json(config),
        "command": shlex.join(["jc3d", *sys.argv[1:]]),
        "commit": _commit() or f"jc3d {__version__}",
        "torch": str(torch.__version__),
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }
    return facts | ({"init": taken} if taken else {})


def as_json(config: TrainConfig) -> dict[str, Any]:
    """A config in JSON's types: the settings of every run by name, those of the task under ``task``."""
    return {name: _plain(value) for name, value in asdict(config).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _commit() -> str:
    """Of the repository that this file belongs to; "" where it is installed without one."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        except OSError:  # no git
            return ""

    # The repository around an installed package is somebody else's.
    ours = git("ls-files", "--error-unmatch", Path(__file__).name)
    return git("describe", "--always", "--dirty") if ours else ""
