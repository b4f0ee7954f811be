import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from jc3d.data.camera_protocol import sample_cameras
from jc3d.data.counter_rng import Random
from jc3d.data.meshes import Mesh, MeshError, augment, load_mesh, normalised, render
from jc3d.data.shading import Light
from jc3d.geometry.cameras import Camera

trimesh = pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
pytest.importorskip("embreex", reason="extra `mesh` is not installed")

FLAT = Light(direction=(0.0, 1.0, 0.0), ambient=0.0, diffuse=0.0, fill=1.0, specular=0.0)


def box(extents=(1.0, 1.0, 1.0), centre=(0.0, 0.0, 0.0)):
    part = trimesh.creation.box(extents)
    part.apply_translation(centre)
    return part


def as_mesh(*parts, colors=None) -> Mesh:
    whole = trimesh.util.concatenate(list(parts))
    return normalised(whole.vertices, whole.faces, 0.7 if colors is None else colors)


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


def test_huge_and_tiny_units_are_normalised():
    for unit in (1e-200, 1.0, 1e300):
        mesh = normalised(np.array([[0, 0, 0], [1, 0, 0], [0, 0.5, 0.25]]) * unit, [[0, 1, 2]])
        assert mesh.extents == pytest.approx([1.0, 0.5, 0.25])


def test_unused_vertices_do_not_count():
    mesh = normalised([[0, 0, 0], [1, 0, 0], [0, 1, 0], [50, 50, 50]], [[0, 1, 2]])
    assert len(mesh.vertices) == 3
    assert mesh.extents == pytest.approx([1.0, 1.0, 0.0])


def test_augment_gives_the_same_variation_for_the_same_stream():
    mesh = as_mesh(box(), box((0.2, 0.4, 0.3), (0.7, 0.1, 0.0)))
    first, again, other = augment(mesh, Random(5)), augment(mesh, Random(5)), augment(mesh, Random(6))
    assert np.array_equal(first.vertices, again.vertices)
    assert np.array_equal(first.face_colors, again.face_colors)
    assert not np.allclose(first.vertices, other.vertices)


def test_augment_keeps_the_frame_and_the_solid():
    mesh = as_mesh(box((1.0, 2.0, 1.5)), box((0.2, 0.4, 0.3), (0.6, 0.1, 0.0)))
    vertical, colors = set(), set()
    for seed in range(60):
        varied = augment(mesh, Random(seed))
        assert varied.extents.max() == pytest.approx(1.0)
        assert varied.vertices.max(axis=0) == pytest.approx(-varied.vertices.min(axis=0))
        assert len(varied.faces) == len(mesh.faces)
        # Still closed and facing outward after mirrors, turns and stretches.
        assert np.linalg.det(varied.triangles).sum() > 0
        assert varied.face_colors.min() >= 0.0
        assert varied.face_colors.max() <= 1.0
        vertical.add(round(float(varied.extents[1]), 3))
        colors.add(varied.face_colors.tobytes())
    assert len(vertical) > 5
    assert len(colors) > 30


def test_augment_leaves_its_input_alone():
    mesh = as_mesh(box())
    before = (mesh.vertices.copy(), mesh.faces.copy(), mesh.face_colors.copy())
    for seed in range(10):
        augment(mesh, Random(seed))
    for field, value in zip(dataclasses.fields(mesh), before, strict=True):
        assert np.array_equal(getattr(mesh, field.name), value)


def test_render_shows_the_side_the_camera_is_on():
    """+X red, -X green, +Z blue, -Z yellow, seen from each side at eye level."""
    part = box()
    colors = np.full((12, 3), 0.5)
    for axis, sign, color in ((0, 1, (1, 0, 0)), (0, -1, (0, 1, 0)), (2, 1, (0, 0, 1)), (2, -1, (1, 1, 0))):
        colors[part.face_normals[:, axis] * sign > 0.5] = color
    mesh = normalised(part.vertices, part.faces, colors)
    cameras = [Camera(azimuth, 0.0, 0.9) for azimuth in (0.0, 90.0, 180.0, 270.0)]
    middle = render(mesh, cameras, FLAT)[:, :, 64, 64] > 128
    assert middle.tolist() == [[False, False, True], [True, False, False], [True, True, False], [False, True, False]]


def test_render_has_the_image_upright_and_not_mirrored():
    bump = as_mesh(box((1.0, 0.2, 0.2)), box((0.2, 0.4, 0.2), (0.4, 0.3, 0.0)))  # up, at +X
    seen = (render(bump, [Camera(0.0, 0.0, 0.8)], FLAT)[0] < 250).any(axis=0)
    rows, columns = np.nonzero(seen)
    top = columns[rows < rows.min() + 5]
    assert top.min() > 64  # from the front, +X is on the right, and up is the first row


def test_render_sees_both_sides_of_a_face():
    sheet = normalised([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], [[0, 1, 2], [0, 2, 3]], 0.5)
    front, back = render(sheet, [Camera(0.0, 0.0, 0.9), Camera(180.0, 0.0, 0.9)], FLAT)[:, 0, 64, 64]
    assert front == back
    assert 120 <= front <= 135


def test_render_background_is_white_and_edges_are_smooth():
    mesh = as_mesh(trimesh.creation.icosphere(subdivisions=3), colors=0.0)
    views = render(mesh, sample_cameras(Random(0), 3), FLAT)
    assert views.shape == (3, 3, 128, 128)
    assert views.dtype == np.uint8
    assert (views[:, :, 0, 0] == 255).all()
    assert len(np.unique(views)) > 3  # black, white and the steps between on the outline


def test_render_agrees_with_the_camera_rays():
    """The silhouette of a sphere against its exact projection."""
    mesh = as_mesh(trimesh.creation.icosphere(subdivisions=5))
    camera = Camera(30.0, 27.0, 0.8)
    seen = (render(mesh, [camera], FLAT)[0] < 250).any(axis=0)
    from jc3d.geometry.cameras import camera_rays

    origin, directions = camera_rays([camera], torch.tensor([mesh.diagonal]))
    rays = directions[0].reshape(-1, 3).double()
    start = origin[0].double()
    miss = (start - (rays @ start)[:, None] * rays).norm(dim=1).reshape(128, 128).numpy()
    assert seen[miss < 0.48].all()
    assert not seen[miss > 0.52].any()


@pytest.mark.skipif("JC3D_DATA" not in os.environ, reason="JC3D_DATA does not name the folder of real inputs")
def test_real_meshes_render():
    paths = sorted((Path(os.environ["JC3D_DATA"]) / "meshes").glob("*.ply"))[::40]
    assert paths
    for path in paths:
        mesh = load_mesh(path)
        seen = (render(mesh, [Camera(30.0, 27.0, 0.8)], FLAT)[0] < 255).any(axis=0).mean()
        assert 0.002 < seen < 0.7, path
