import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from jc3d.errors import MissingExtraError
from jc3d.export import GRID_SUFFIXES, box_mesh, save_occupancy, surface_mesh
from jc3d.io.binvox import read_binvox


@pytest.fixture
def grid() -> np.ndarray:
    """Probabilities with a bump at +X, low Y and high Z; some exactly at the threshold."""
    values = np.full((32, 32, 32), 0.1, dtype=np.float32)
    values[8:20, 4:30, 10:22] = 0.9
    values[20:31, 4:8, 18:30] = 0.6
    values[0:4, 0:4, 0:4] = 0.4  # not above 0.4
    return values


def test_npz_keeps_the_probabilities(tmp_path: Path, grid):
    save_occupancy(tmp_path / "grid.npz", torch.from_numpy(grid), threshold=0.3)
    with np.load(tmp_path / "grid.npz") as saved:
        assert np.array_equal(saved["occupancy"], grid)
        assert float(saved["threshold"]) == 0.3


def test_binvox_is_strictly_above_the_threshold(tmp_path: Path, grid):
    save_occupancy(tmp_path / "grid.binvox", grid)
    assert np.array_equal(read_binvox(tmp_path / "grid.binvox").grid, grid > np.float32(0.4))
    save_occupancy(tmp_path / "grid.binvox", grid, threshold=0.7)
    assert np.array_equal(read_binvox(tmp_path / "grid.binvox").grid, grid > 0.7)


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".glb"])
@pytest.mark.parametrize("style", ["boxes", "surface"])
def test_meshes_stand_where_the_cells_are(tmp_path: Path, grid, suffix: str, style: str):
    trimesh = pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
    pytest.importorskip("skimage", reason="extra `mesh` is not installed")
    path = tmp_path / f"grid{suffix}"
    save_occupancy(path, grid, mesh_style=style)
    mesh = trimesh.load(path, force="mesh")
    occupied = grid > np.float32(0.4)
    cells = np.argwhere(occupied)
    tolerance = 1e-6 if style == "boxes" else 1 / 32
    assert mesh.bounds[0] == pytest.approx(cells.min(axis=0) / 32 - 0.5, abs=tolerance)
    assert mesh.bounds[1] == pytest.approx((cells.max(axis=0) + 1) / 32 - 0.5, abs=tolerance)
    # The volume is positive only if the faces look outward.
    assert mesh.volume == pytest.approx(occupied.sum() / 32**3, rel=1e-4 if style == "boxes" else 0.15)


def test_box_mesh_shares_corners_and_is_closed(grid):
    trimesh = pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
    vertices, faces = box_mesh(grid > 0.4)
    assert trimesh.Trimesh(vertices, faces, process=False).is_watertight
    assert len(np.unique(vertices, axis=0)) == len(vertices)


@pytest.mark.parametrize("threshold", [0.0, 0.4, 0.99])
def test_surface_of_a_full_grid_is_closed(threshold: float):
    pytest.importorskip("skimage", reason="extra `mesh` is not installed")
    trimesh = pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
    vertices, faces = surface_mesh(np.ones((8, 8, 8), dtype=np.float32), threshold)
    mesh = trimesh.Trimesh(vertices, faces)
    assert mesh.is_watertight
    assert mesh.volume > 0.6


def test_voxelised_box_mesh_is_the_grid_again(grid):
    """Grid -> mesh -> grid, for a grid that reaches the border along its longest axis."""
    pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
    from jc3d.data.meshes import Mesh, occupancy

    occupied = grid > 0.4
    vertices, faces = box_mesh(occupied)
    mesh = Mesh(vertices, faces, np.full((len(faces), 3), 0.5, dtype=np.float32))
    assert np.array_equal(occupancy(mesh), occupied)


def test_png_is_a_picture(tmp_path: Path, grid):
    pytest.importorskip("matplotlib", reason="extra `viz` is not installed")
    from PIL import Image

    save_occupancy(tmp_path / "grid.png", grid)
    assert np.asarray(Image.open(tmp_path / "grid.png").convert("L")).min() < 128


@pytest.mark.parametrize("suffix", GRID_SUFFIXES)
def test_bool_grids_are_written_whatever_the_threshold(tmp_path: Path, suffix: str):
    pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
    pytest.importorskip("matplotlib", reason="extra `viz` is not installed")
    occupied = np.zeros((16, 16, 16), dtype=bool)
    occupied[4:9, 4:9, 4:9] = True
    save_occupancy(tmp_path / f"grid{suffix}", occupied, threshold=0.9)
    assert (tmp_path / f"grid{suffix}").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [f"grid{suffix}"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "grid.xyz"}, r"expected a name ending in \.npz, .*, got '\.xyz'"),
        ({"path": "grid"}, "got ''"),
        ({"grid": np.zeros((2, 2, 3))}, r"grid: expected \(n, n, n\), got \(2, 2, 3\)"),
        ({"grid": np.full((2, 2, 2), np.nan)}, "grid: expected probabilities in .0, 1., got nan"),
        ({"grid": np.full((2, 2, 2), 1.5)}, "grid: expected probabilities in .0, 1., got 1.5"),
        ({"threshold": 1.0}, "threshold: expected a number in .0, 1., got 1.0"),
        ({"threshold": float("nan")}, "threshold: expected"),
        ({"mesh_style": "round"}, "mesh_style: expected boxes or surface, got 'round'"),
        ({"path": "grid.ply", "grid": np.zeros((4, 4, 4))}, "expected at least one cell above 0.4"),
    ],
)
def test_bad_arguments_write_nothing(tmp_path: Path, change: dict, message: str):
    pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
    arguments = {"path": "grid.npz", "grid": np.ones((2, 2, 2))} | change
    arguments["path"] = tmp_path / arguments["path"]
    with pytest.raises(ValueError, match=message):
        save_occupancy(**arguments)
    assert not any(tmp_path.iterdir())


def test_missing_folder_is_named(tmp_path: Path, grid):
    with pytest.raises(FileNotFoundError, match=r"no/grid\.npz"):
        save_occupancy(tmp_path / "no" / "grid.npz", grid)


def test_folder_in_the_way(tmp_path: Path, grid):
    (tmp_path / "grid.npz").mkdir()
    with pytest.raises(IsADirectoryError):
        save_occupancy(tmp_path / "grid.npz", grid)


def test_failed_write_leaves_the_old_file(tmp_path: Path, grid, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "grid.npz"
    path.write_bytes(b"old")

    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_occupancy(path, grid)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_missing_extra_says_what_to_install(tmp_path: Path, grid, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "trimesh", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'jc3d\[mesh\]'"):
        save_occupancy(tmp_path / "grid.ply", grid)


def test_files_are_the_same_bytes_each_time(tmp_path: Path, grid):
    pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
    for suffix in (".binvox", ".ply", ".obj"):
        both = []
        for name in ("a", "b"):
            save_occupancy(tmp_path / f"{name}{suffix}", grid)
            both.append(io.BytesIO((tmp_path / f"{name}{suffix}").read_bytes()).read())
        assert both[0] == both[1]
