"""Weights put into the package by the contributors' command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from jc3d.jobs.package_weights import main
from jc3d.models import load, packaged


def test_weights_become_packaged_ones(weights: Path, toy_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert packaged() == ["toy"]
    main(toy_weights)
    assert capsys.readouterr().out.split() == [str(weights / "implicit-480.safetensors")]
    assert packaged() == ["implicit-480", "toy"]
    assert load("implicit-480").fingerprint == load(toy_weights).fingerprint


def test_a_file_that_is_missing_is_named(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=r"none\.safetensors: expected a safetensors file, got nothing there"):
        main(tmp_path / "none.safetensors")
    assert packaged() == ["toy"]


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jc3d.jobs.package_weights", str(tmp_path / "none.safetensors")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "nothing" in run.stderr
    assert "Traceback" not in run.stderr
