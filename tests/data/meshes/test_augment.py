"""Varied meshes: the same frame, another solid."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from jc3d.data.counter_rng import Random
from jc3d.data.meshes import augment

pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
from mesh_parts import as_mesh, box


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
