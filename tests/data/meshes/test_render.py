"""Views of meshes: which side, which way up, and where the outline is."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from jc3d.data.camera_protocol import sample_cameras
from jc3d.data.counter_rng import Random
from jc3d.data.meshes import load_mesh, normalised, render
from jc3d.data.shading import Light
from jc3d.geometry.cameras import Camera, camera_rays

trimesh = pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
pytest.importorskip("embreex", reason="extra `mesh` is not installed")
from mesh_parts import as_mesh, box  # noqa: E402

FLAT = Light(direction=(0.0, 1.0, 0.0), ambient=0.0, diffuse=0.0, fill=1.0, specular=0.0)


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
