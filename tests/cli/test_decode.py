"""``jc3d decode``: the images that it writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jc3d import infer
from jc3d.cli import main
from jc3d.codec import Codes

pytestmark = pytest.mark.usefixtures("weights")


def check_images(folder: Path, codes: Codes) -> None:
    """The images of a folder are those of the codes."""
    expected = (infer.decode(codes) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    assert len(list(folder.iterdir())) == codes.num_views
    for index in range(codes.num_views):
        assert np.array_equal(np.asarray(Image.open(folder / f"view-{index}.png")), expected[index])


def test_images_are_written(joint_codes: Codes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    joint_codes.save(tmp_path / "o.jc3d")
    assert main(["decode", str(tmp_path / "o.jc3d"), "-o", str(tmp_path / "views")]) == 0
    assert "3 views decoded" in capsys.readouterr().out
    check_images(tmp_path / "views", joint_codes)


def test_fewer_iterations(joint_codes: Codes, tmp_path: Path) -> None:
    joint_codes.save(tmp_path / "o.jc3d")
    assert main(["decode", str(tmp_path / "o.jc3d"), "-o", str(tmp_path / "views"), "--iterations", "1"]) == 0
    check_images(tmp_path / "views", joint_codes.truncate(1))


def test_file_that_has_arrived_in_part(
    joint_codes: Codes, tmp_path: Path, capsys: pytest.CaptureFixture[str], fails: Callable[..., str]
) -> None:
    data = joint_codes.to_bytes()
    path, out = tmp_path / "part.jc3d", tmp_path / "views"
    path.write_bytes(data[: 28 + 2 * 3 * 128 + 5])
    assert "--partial takes what has arrived" in fails("decode", path, "-o", out)
    assert not out.exists()
    assert main(["decode", str(path), "-o", str(out), "--partial"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"3 views decoded of 2 of 3 iterations, {len(data) - 28 - 773} bytes are missing" in shown
    check_images(out, joint_codes.truncate(2))
    path.write_bytes(data[:300])
    assert "which hold one of 3 iterations" in fails("decode", path, "-o", out, "--partial")


def test_models_that_cannot(codes_file: Path, tmp_path: Path, fails: Callable[..., str]) -> None:
    line = fails("decode", codes_file, "-o", tmp_path / "views")
    assert "expected those of a model that decodes images, got those of implicit-480" in line
    line = fails("decode", codes_file, "-o", tmp_path / "views", "--iterations", "2")
    assert "iterations: expected 1 to 1, got 2" in line
