"""``jc3d encode``: the file that it writes, and bad input."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from jc3d import infer
from jc3d.cli import main
from jc3d.codec import Codes

pytestmark = pytest.mark.usefixtures("weights")


def test_codes_are_written(images: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "object.jc3d"
    assert main(["encode", *images, "-o", str(path), "--model", "toy"]) == 0
    assert "3 views" in capsys.readouterr().out
    assert Codes.load(path) == infer.encode(images, model="toy")


@pytest.mark.parametrize(
    ("option", "value", "iterations"), [("--iterations", 2, 2), ("--num-bytes", 32 + 3 * 128 * 3 + 100, 3)]
)
def test_rate(joint: str, images: list[str], tmp_path: Path, option: str, value: int, iterations: int) -> None:
    out = tmp_path / "o.jc3d"
    assert main(["encode", *images, "-o", str(out), "--model", joint, option, str(value)]) == 0
    assert Codes.load(out) == infer.encode(images, joint, iterations=iterations)


def test_codes_are_the_same_bytes_in_every_process_and_for_any_number_of_threads(
    weights: Path, images: list[str], tmp_path: Path
) -> None:
    model = str(weights / "toy.safetensors")
    outputs = []
    for threads in ("1", "2"):
        path = tmp_path / f"{threads}.jc3d"
        subprocess.run(
            [sys.executable, "-m", "jc3d", "encode", *images, "-o", str(path), "--model", model],
            env={**os.environ, "OMP_NUM_THREADS": threads},
            check=True,
            capture_output=True,
        )
        outputs.append(path.read_bytes())
    assert outputs[0] == outputs[1]
    assert Codes.from_bytes(outputs[0]) == infer.encode(images, model=model)


@pytest.mark.parametrize("name", ["empty.png", "text.png", "cut.png", "none.png"])
def test_bad_images(name: str, broken_images: Path, images: list[str], fails: Callable[..., str]) -> None:
    out = broken_images / "out.jc3d"
    assert name in fails("encode", images[0], broken_images / name, "-o", out, "--model", "toy")
    assert not out.exists()


def test_folder_is_no_image(tmp_path: Path, fails: Callable[..., str]) -> None:
    assert "expected an image file" in fails("encode", tmp_path, "-o", tmp_path / "a.jc3d", "--model", "toy")


def test_huge_image_is_refused_before_it_is_decoded(tmp_path: Path, fails: Callable[..., str]) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")  # 400 megapixels in 50 kB
    line = fails("encode", tmp_path / "huge.png", "-o", tmp_path / "a.jc3d", "--model", "toy")
    assert "huge.png: expected at most" in line


def test_bad_models_and_devices(images: list[str], weights: Path, tmp_path: Path, fails: Callable[..., str]) -> None:
    out = tmp_path / "a.jc3d"
    assert "got 'none'" in fails("encode", *images, "-o", out, "--model", "none")
    (tmp_path / "bad.safetensors").write_bytes(b"\0" * 100)
    assert "bad.safetensors" in fails("encode", *images, "-o", out, "--model", tmp_path / "bad.safetensors")
    assert "expected a safetensors file, got nothing there" in fails(
        "encode", *images, "-o", out, "--model", tmp_path / "none.safetensors"
    )
    whole = (weights / "toy.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-100])
    assert "damaged" in fails("encode", *images, "-o", out, "--model", tmp_path / "cut.safetensors")
    (tmp_path / "other.safetensors").write_bytes(whole.replace(b"[96]", b"[95]", 1).replace(b"[64]", b"[63]", 1))
    assert "other.safetensors" in fails("encode", *images, "-o", out, "--model", tmp_path / "other.safetensors")
    assert "device: " in fails("encode", *images, "-o", out, "--model", "toy", "--device", "abacus")
    assert not out.exists()


def test_outputs_that_cannot_be_written(images: list[str], tmp_path: Path, fails: Callable[..., str]) -> None:
    nowhere = tmp_path / "no" / "such"
    before = sorted(tmp_path.rglob("*"))
    assert str(nowhere) in fails("encode", *images, "-o", nowhere / "a.jc3d", "--model", "toy")
    assert "directory" in fails("encode", *images, "-o", tmp_path, "--model", "toy")
    assert sorted(tmp_path.rglob("*")) == before
