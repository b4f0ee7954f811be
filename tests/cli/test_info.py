"""``jc3d info``: what it says of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from jc3d.cli import main
from jc3d.codec import Codes

pytestmark = pytest.mark.usefixtures("weights")


def test_facts_of_a_file(codes_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(codes_file)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    codes = Codes.load(codes_file)
    for fact in (
        "model toy",
        f"fingerprint {codes.fingerprint.hex()}",
        "views 3",
        "iterations 1",
        "820 bits a view",
        "128 x 128",
        "payload 309 bytes (103 a view)",
        "file 341 bytes",
        f"{codes.ratio_payload:.1f}:1 by payload, {codes.ratio_file:.1f}:1 by file",
    ):
        assert fact in shown


def test_unknown_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jc3d"
    Codes.from_tensor(torch.randn(2, 16), fingerprint=bytes(8), binary=False).save(path)
    assert main(["info", str(path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "model unknown" in shown
    assert "512 bits = 16 float32 numbers" in shown


def test_damaged_codes(damaged: tuple[Path, str], fails: Callable[..., str]) -> None:
    path, message = damaged
    line = fails("info", path)
    assert "bad.jc3d: " in line
    assert message in line


def test_no_file(tmp_path: Path, fails: Callable[..., str]) -> None:
    assert "No such file" in fails("info", tmp_path / "none.jc3d")
    assert "directory" in fails("info", tmp_path)
