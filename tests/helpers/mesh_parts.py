"""Boxes as meshes, alone and together; for tests that have made sure of trimesh."""

from __future__ import annotations

import trimesh

from jc3d.data.meshes import Mesh, normalised


def box(extents=(1.0, 1.0, 1.0), centre=(0.0, 0.0, 0.0)):
    part = trimesh.creation.box(extents)
    part.apply_translation(centre)
    return part


def as_mesh(*parts, colors=None) -> Mesh:
    whole = trimesh.util.concatenate(list(parts))
    return normalised(whole.vertices, whole.faces, 0.7 if colors is None else colors)
