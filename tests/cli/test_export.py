"""``jc3d export``: the parts of a model that it writes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jc3d.cli import main
from jc3d.models import load

pytestmark = pytest.mark.usefixtures("weights")


def test_export_writes_the_parts_that_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
    pytest.importorskip("onnxscript", reason="the extra 'onnx' is not installed")
    encoder, decoder = tmp_path / "encoder.onnx", tmp_path / "decoder.pt2"
    assert main(["export", "toy", "--encoder", str(encoder), "--decoder", str(decoder)]) == 0
    captured = capsys.readouterr()
    shown = " ".join(captured.out.split())
    for fact in (
        "encoder.onnx: the encoder of implicit-480",
        "ONNX, opset 18",
        "views float32 (N, 3, 128, 128)",
        "gives codes",
        f"size {encoder.stat().st_size} bytes",
        "decoder.pt2: the decoder of implicit-480",
        "torch.export",
        "h float32 (N, 32, 8, 8, 8), skip_features float32 (N, 32, 16, 16, 16)",
        f"fingerprint {load('toy').fingerprint.hex()}",
    ):
        assert fact in shown
    assert captured.err == ""
    assert {"jc3d.part": "encoder"}.items() <= {p.key: p.value for p in onnx.load(encoder).metadata_props}.items()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["decoder.pt2", "encoder.onnx"]


def test_bad_exports(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: Callable[..., str]) -> None:
    out, nowhere = tmp_path / "a.pt2", tmp_path / "no" / "such" / "a.pt2"
    before = sorted(tmp_path.rglob("*"))
    assert "Missing argument" in fails("export")
    assert "expected at least one of --encoder, --step, --decoder and --part, got none" in fails("export", "toy")
    assert "a file of its own" in fails("export", "toy", "--step", out, "--decoder", out)
    assert "a file of its own" in fails("export", "toy", "--step", out, "--part", f"decoder={out}")
    for text in ("decoder", "decoder=", f"={out}"):
        assert f"part: expected NAME=FILE, got {text!r}" in fails("export", "toy", "--part", text)
    other = f"head={tmp_path / 'b.pt2'}"
    expected = "part: expected one of encoder, step, decoder, got 'head'"
    assert expected in fails("export", "toy", "--encoder", out, "--part", other)
    assert "got '.txt'" in fails("export", "toy", "--encoder", out, "--step", tmp_path / "a.txt")
    assert "got 'none'" in fails("export", "none", "--encoder", out)
    assert "expected a safetensors file, got nothing there" in fails(
        "export", tmp_path / "none.safetensors", "--encoder", out
    )
    assert str(nowhere) in fails("export", "toy", "--encoder", nowhere)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert "pip install 'jc3d[onnx]'" in fails("export", "toy", "--encoder", tmp_path / "a.onnx")
    assert sorted(tmp_path.rglob("*")) == before
