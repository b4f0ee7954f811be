"""What the tests of several commands use."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jc3d import infer
from jc3d.cli import main
from jc3d.codec import Codes
from jc3d.models import create, save_weights


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    """Three image files of different kinds and sizes."""
    generator = np.random.default_rng(0)
    modes = {"a.png": ("RGB", (128, 128)), "b.jpg": ("L", (127, 137)), "c.png": ("RGBA", (200, 100))}
    for name, (mode, size) in modes.items():
        pixels = Image.fromarray(generator.integers(0, 256, (6, 6, 4), np.uint8), "RGBA").resize(size)
        pixels.convert(mode).save(tmp_path / name)
    return [str(tmp_path / name) for name in modes]


@pytest.fixture
def broken_images(images: list[str]) -> Path:
    """A folder with files that are no images, for all that their names say."""
    folder = Path(images[0]).parent
    whole = Path(images[0]).read_bytes()
    contents = {"empty.png": b"", "text.png": b"hello\nworld\n", "cut.png": whole[: len(whole) // 2]}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def codes_file(weights: Path, images: list[str], tmp_path: Path) -> Path:
    """Codes of the images by ``toy``."""
    path = tmp_path / "object.jc3d"
    infer.encode(images, model="toy").save(path)
    return path


@pytest.fixture(scope="session")
def direct_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model that decodes images."""
    path = tmp_path_factory.mktemp("weights") / "direct.safetensors"
    save_weights(path, create("direct", seed=1), {"val_miou": 0.5})
    return path


@pytest.fixture
def joint(weights: Path, direct_weights: Path) -> str:
    """The name of a packaged model that decodes images, with eight iterations."""
    shutil.copy(direct_weights, weights / "joint.safetensors")
    return "joint"


@pytest.fixture
def joint_codes(joint: str, images: list[str]) -> Codes:
    """Three iterations of the images' codes by ``joint``."""
    return infer.encode(images, joint, iterations=3)


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must fail as bad input does; returns its one line."""

    def run(*arguments: str | Path) -> str:
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("jc3d: ")
        return lines[0]

    return run


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda data: b"", "magic"),
    "another file": (lambda data: b"RIFF0000", "not a .jc3d file"),
    "cut header": (lambda data: data[:20], "truncated"),
    "cut payload": (lambda data: data[:-1], "length"),
    "a byte too many": (lambda data: data + b"\0", "length"),
    "a length that lies": (lambda data: data[:24] + (2**31).to_bytes(4, "little") + data[28:], "length"),
    "a later version": (lambda data: data[:4] + b"\2" + data[5:], "version at byte 4: expected 1, got 2"),
    "a flipped bit": (lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:], "checksum"),
}


@pytest.fixture(params=DAMAGES)
def damaged(request: pytest.FixtureRequest, codes_file: Path) -> tuple[Path, str]:
    """A file of codes with some damage, and a word of what is said of it."""
    damage, message = DAMAGES[request.param]
    path = codes_file.with_name("bad.jc3d")
    path.write_bytes(damage(codes_file.read_bytes()))
    return path, message
