"""``jc3d demo``: what it writes and says, with an untrained model and as README's newcomer runs it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jc3d import infer
from jc3d.cli import main
from jc3d.codec import Codes

FILES = {"codes.jc3d", "occupancy.npz", "mesh.obj", "mesh.glb", "reconstruction.png"}
DATA = os.environ.get("JC3D_DATA")


@pytest.fixture
def extras() -> None:
    """What README's newcomer has installed."""
    for module, extra in (("trimesh", "mesh"), ("embreex", "mesh"), ("matplotlib", "viz")):
        pytest.importorskip(module, reason=f"the extra '{extra}' is not installed")


def written(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.stat().st_size > 0}


@pytest.mark.usefixtures("extras")
def test_newcomer_sees_the_carried_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "-o", str(out)]) == 0
    assert written(out) >= FILES
    assert (out / "codes.jc3d").stat().st_size == 5 * 128 + 32
    assert "IoU" in capsys.readouterr().out


@pytest.mark.usefixtures("extras")
@pytest.mark.skipif(DATA is None, reason="JC3D_DATA is not set")
def test_newcomer_has_photographs_and_meshes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert DATA is not None
    photos = sorted(str(path) for path in (Path(DATA) / "armchair").glob("*.png"))
    assert main(["demo", "-o", str(tmp_path / "photos"), "--input", *photos]) == 0
    assert written(tmp_path / "photos") >= FILES
    meshes = sorted((Path(DATA) / "meshes").glob("*.ply"))[:2]
    assert main(["demo", "-o", str(tmp_path / "meshes"), "--input", *map(str, meshes)]) == 0
    for mesh in meshes:
        assert written(tmp_path / "meshes" / mesh.stem) >= FILES
    assert "IoU" in capsys.readouterr().out


@pytest.mark.usefixtures("weights")
def test_carried_object_with_any_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "-o", str(out), "--model", "toy"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert {"codes.jc3d", "occupancy.npz"} <= {path.name for path in out.iterdir()}
    codes = Codes.load(out / "codes.jc3d")
    assert codes.num_views == 5
    assert np.array_equal(np.load(out / "occupancy.npz")["occupancy"], infer.reconstruct(codes).numpy())
    assert f"file {codes.num_bytes} bytes" in shown
    assert "object chair" in shown
    assert "with the best of four quarter turns" in shown
    for optional in ("mesh.obj", "mesh.glb", "reconstruction.png"):
        assert (out / optional).is_file() or f"not written: {optional}" in shown or "a mesh of" in shown


@pytest.mark.usefixtures("weights")
def test_images(images: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "-o", str(out), "--model", "toy", "--input", *images]) == 0
    assert Codes.load(out / "codes.jc3d") == infer.encode(images, model="toy")
    assert "the true shape is not known" in capsys.readouterr().out


@pytest.mark.usefixtures("weights")
def test_several_meshes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trimesh = pytest.importorskip("trimesh", reason="the extra 'mesh' is not installed")
    pytest.importorskip("embreex", reason="the extra 'mesh' is not installed")
    for folder, name, sides in (
        ("one", "box.ply", (1, 2, 3)),
        ("two", "box.ply", (1, 1, 1)),
        ("two", "slab.obj", (4, 1, 4)),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        trimesh.creation.box(sides).export(tmp_path / folder / name)
    out = tmp_path / "demo"
    inputs = [str(tmp_path / "one" / "box.ply"), str(tmp_path / "two")]
    assert main(["demo", "-o", str(out), "--model", "toy", "--views", "2", "--input", *inputs]) == 0
    shown = capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["box", "box-2", "slab"]
    assert all(Codes.load(folder / "codes.jc3d").num_views == 2 for folder in out.iterdir())
    assert "mean" in shown


@pytest.mark.usefixtures("weights")
def test_broken_mesh(tmp_path: Path, fails: Callable[..., str]) -> None:
    pytest.importorskip("trimesh", reason="the extra 'mesh' is not installed")
    (tmp_path / "broken.ply").write_bytes(b"ply\nnonsense")
    line = fails("demo", "-i", tmp_path / "broken.ply", "-o", tmp_path / "demo", "--model", "toy")
    assert "broken.ply" in line


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("name", ["empty.png", "text.png", "cut.png", "none.png"])
def test_bad_images(name: str, broken_images: Path, tmp_path: Path, fails: Callable[..., str]) -> None:
    assert name in fails("demo", "--input", broken_images / name, "-o", tmp_path / "demo", "--model", "toy")


@pytest.mark.usefixtures("weights")
def test_folder_without_images_and_meshes(tmp_path: Path, fails: Callable[..., str]) -> None:
    (tmp_path / "hollow").mkdir()
    assert "expected images or meshes" in fails("demo", "-i", tmp_path / "hollow", "--model", "toy")


def test_output_that_is_a_file(codes_file: Path, fails: Callable[..., str]) -> None:
    assert "object.jc3d" in fails("demo", "-o", codes_file, "--model", "toy")
