"""``jc3d reconstruct``: the grids that it writes, and codes that it cannot take."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from jc3d import infer
from jc3d.cli import main
from jc3d.codec import Codes
from jc3d.models import create, save_weights

pytestmark = pytest.mark.usefixtures("weights")


def test_grids_are_written(codes_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid, voxels = tmp_path / "grid.npz", tmp_path / "grid.binvox"
    assert main(["reconstruct", str(codes_file), "-o", str(grid), "-o", str(voxels), "--threshold", "0.3"]) == 0
    assert "3 views reconstructed" in capsys.readouterr().out
    assert np.array_equal(np.load(grid)["occupancy"], infer.reconstruct(codes_file).numpy())
    assert voxels.read_bytes().startswith(b"#binvox")


def test_fewer_iterations(joint_codes: Codes, tmp_path: Path) -> None:
    joint_codes.save(tmp_path / "o.jc3d")
    out = tmp_path / "grid.npz"
    assert main(["reconstruct", str(tmp_path / "o.jc3d"), "-o", str(out), "--iterations", "1"]) == 0
    expected = infer.reconstruct(joint_codes.truncate(1)).numpy()
    np.testing.assert_allclose(np.load(out)["occupancy"], expected, atol=1e-6)


def test_file_that_has_arrived_in_part(joint_codes: Codes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "part.jc3d").write_bytes(joint_codes.to_bytes()[:-100])
    out = tmp_path / "grid.npz"
    assert main(["reconstruct", str(tmp_path / "part.jc3d"), "-o", str(out), "--partial"]) == 0
    assert "3 views reconstructed of 2 of 3 iterations" in " ".join(capsys.readouterr().out.split())
    expected = infer.reconstruct(joint_codes.truncate(2)).numpy()
    np.testing.assert_allclose(np.load(out)["occupancy"], expected, atol=1e-6)


def test_damaged_codes(damaged: tuple[Path, str], tmp_path: Path, fails: Callable[..., str]) -> None:
    path, message = damaged
    line = fails("reconstruct", path, "-o", tmp_path / "grid.npz")
    assert "bad.jc3d: " in line
    assert message in line
    assert not (tmp_path / "grid.npz").exists()


def test_no_file(tmp_path: Path, fails: Callable[..., str]) -> None:
    assert "No such file" in fails("reconstruct", tmp_path / "none.jc3d", "-o", tmp_path / "grid.npz")
    assert "directory" in fails("reconstruct", tmp_path, "-o", tmp_path / "grid.npz")


def test_codes_of_another_model(weights: Path, tmp_path: Path, fails: Callable[..., str]) -> None:
    path, own = tmp_path / "a.jc3d", tmp_path / "mine.safetensors"
    save_weights(own, create("implicit-384", seed=3), {})
    infer.encode(torch.rand(1, 3, 128, 128), model=own).save(path)
    fingerprint = Codes.load(path).fingerprint.hex()
    out = tmp_path / "a.npz"
    assert fingerprint in fails("reconstruct", path, "-o", out)
    wrong = fails("reconstruct", path, "-o", out, "--weights", weights / "toy.safetensors")
    assert f"got fingerprint {fingerprint}" in wrong
    assert main(["reconstruct", str(path), "-o", str(out), "--weights", str(own)]) == 0


def test_outputs_that_cannot_be_written(codes_file: Path, tmp_path: Path, fails: Callable[..., str]) -> None:
    nowhere = tmp_path / "no" / "such"
    before = sorted(tmp_path.rglob("*"))
    assert str(nowhere) in fails("reconstruct", codes_file, "-o", nowhere / "a.npz")
    assert ".nonsense" in fails("reconstruct", codes_file, "-o", tmp_path / "a.nonsense")
    assert sorted(tmp_path.rglob("*")) == before


def test_missing_extra_names_the_command_that_installs_it(
    codes_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: Callable[..., str]
) -> None:
    monkeypatch.setitem(sys.modules, "trimesh", None)
    line = fails("reconstruct", codes_file, "-o", tmp_path / "a.obj", "--threshold", "0")
    assert "pip install 'jc3d[mesh]'" in line
