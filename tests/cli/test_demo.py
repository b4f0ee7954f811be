"""README's demo as a newcomer runs it: the packaged model, and real inputs where they are."""

import os
from pathlib import Path

import pytest

from jc3d.cli import main

FILES = {"codes.jc3d", "occupancy.npz", "mesh.obj", "mesh.glb", "reconstruction.png"}
DATA = os.environ.get("JC3D_DATA")


@pytest.fixture(autouse=True)
def extras() -> None:
    for module, extra in (("trimesh", "mesh"), ("embreex", "mesh"), ("matplotlib", "viz")):
        pytest.importorskip(module, reason=f"the extra '{extra}' is not installed")


def written(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.stat().st_size > 0}


def test_the_carried_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "-o", str(out)]) == 0
    assert written(out) >= FILES
    assert (out / "codes.jc3d").stat().st_size == 5 * 128 + 32
    assert "IoU" in capsys.readouterr().out


@pytest.mark.skipif(DATA is None, reason="JC3D_DATA is not set")
def test_photographs_and_meshes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert DATA is not None
    photos = sorted(str(path) for path in (Path(DATA) / "armchair").glob("*.png"))
    assert main(["demo", "-o", str(tmp_path / "photos"), "--input", *photos]) == 0
    assert written(tmp_path / "photos") >= FILES
    meshes = sorted((Path(DATA) / "meshes").glob("*.ply"))[:2]
    assert main(["demo", "-o", str(tmp_path / "meshes"), "--input", *map(str, meshes)]) == 0
    for mesh in meshes:
        assert written(tmp_path / "meshes" / mesh.stem) >= FILES
    assert "IoU" in capsys.readouterr().out
