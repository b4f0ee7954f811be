"""Mesh files: every format, normalised, and refused where damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jc3d.data.meshes import MeshError, load_mesh, normalised

trimesh = pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
from mesh_parts import box  # noqa: E402


@pytest.mark.parametrize("suffix", [".obj", ".off", ".stl", ".ply", ".glb"])
def test_load_reads_and_normalises_every_format(tmp_path: Path, suffix: str):
    path = tmp_path / f"box{suffix}"
    box((2.0, 8.0, 4.0), (100.0, -3.0, 7.0)).export(path)
    mesh = load_mesh(path)
    assert mesh.extents == pytest.approx([0.25, 1.0, 0.5])
    assert mesh.vertices.min(axis=0) == pytest.approx([-0.125, -0.5, -0.25])
    assert mesh.diagonal == pytest.approx(np.sqrt(0.25**2 + 1 + 0.5**2))
    assert len(mesh.faces) == 12
    assert mesh.vertices.dtype == np.float64
    assert mesh.faces.dtype == np.int64
    assert mesh.face_colors.dtype == np.float32
    assert mesh.face_colors.shape == (12, 3)


def test_scene_parts_are_merged_at_their_places(tmp_path: Path):
    scene = trimesh.Scene()
    for place in (0.0, 3.0):
        part = box()
        part.visual.face_colors = [255, 0, 0, 255] if place else [0, 0, 255, 255]
        scene.add_geometry(part, transform=trimesh.transformations.translation_matrix([place, 0.0, 0.0]))
    scene.export(tmp_path / "scene.glb")
    mesh = load_mesh(tmp_path / "scene.glb")
    assert mesh.extents == pytest.approx([1.0, 0.25, 0.25])
    right = mesh.triangles.mean(axis=1)[:, 0] > 0
    assert right.sum() == 12
    assert mesh.face_colors[right] == pytest.approx(np.tile([1.0, 0.0, 0.0], (12, 1)), abs=0.01)
    assert mesh.face_colors[~right] == pytest.approx(np.tile([0.0, 0.0, 1.0], (12, 1)), abs=0.01)


def test_texture_colors_are_sampled_at_the_faces(tmp_path: Path):
    from PIL import Image

    part = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0], [3, 0, 0], [2, 1, 0]], [[0, 1, 2], [3, 4, 5]])
    picture = Image.new("RGB", (2, 1), (255, 0, 0))
    picture.putpixel((1, 0), (0, 255, 0))
    uv = [[0.1, 0.5], [0.2, 0.5], [0.1, 0.6], [0.9, 0.5], [0.8, 0.5], [0.9, 0.6]]
    part.visual = trimesh.visual.TextureVisuals(uv=uv, image=picture)
    part.export(tmp_path / "part.glb")
    red, green = load_mesh(tmp_path / "part.glb").face_colors
    assert red[0] > red[1]
    assert green[1] > green[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.ply", b"", "expected"),
        ("noise.ply", b"\x89PNG not a mesh at all" * 10, "expected a readable .ply mesh"),
        ("noise.glb", b"\x00\x01" * 100, "expected"),
        ("cut.off", b"OFF\n8 6 12\n0 0", "expected"),
        ("points.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "expected a mesh with triangles|expected a readable"),
        ("flat.txt", b"hello", "expected a mesh ending in .obj"),
        ("point.obj", b"v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", "sides that are not all 0"),
        ("nan.obj", b"v nan 1 1\nv 1 2 1\nv 1 1 3\nf 1 2 3\n", "expected finite vertices"),
        ("range.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 9\n", "expected"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes, message: str):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MeshError, match=message) as caught:
        load_mesh(path)
    assert str(path) in str(caught.value)


def test_missing_file_and_folder_are_refused(tmp_path: Path):
    with pytest.raises(MeshError, match="got nothing there"):
        load_mesh(tmp_path / "none.ply")
    (tmp_path / "folder.ply").mkdir()
    with pytest.raises(MeshError, match="got a folder"):
        load_mesh(tmp_path / "folder.ply")


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e300])
def test_huge_and_tiny_units_are_normalised(unit: float):
    mesh = normalised(np.array([[0, 0, 0], [1, 0, 0], [0, 0.5, 0.25]]) * unit, [[0, 1, 2]])
    assert mesh.extents == pytest.approx([1.0, 0.5, 0.25])


def test_unused_vertices_do_not_count():
    mesh = normalised([[0, 0, 0], [1, 0, 0], [0, 1, 0], [50, 50, 50]], [[0, 1, 2]])
    assert len(mesh.vertices) == 3
    assert mesh.extents == pytest.approx([1.0, 1.0, 0.0])
