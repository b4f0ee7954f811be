"""Views of a mesh, by Embree: flat shading, no shadows, white background, four rays a pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from jc3d.data.meshes.mesh import Mesh
from jc3d.data.shading import BACKGROUND, Light, light_rows, shade
from jc3d.errors import require_extra
from jc3d.geometry.cameras import Camera, camera_rays

_SAMPLES = 2  # rays along each side of a pixel


def render(mesh: Mesh, cameras: Sequence[Camera], light: Light, image_size: int = 128) -> NDArray[np.uint8]:
    """Renders views of a mesh.

    Args:
        mesh: a mesh in object coordinates; both sides of a face are visible.
        cameras: V cameras; their distance is relative to the mesh's own diagonal.
        light: the light, the same for all views.
        image_size: height and width in pixels.

    Returns:
        (V, 3, image_size, image_size) uint8 RGB.

    Raises:
        MissingExtraError: embreex is not installed.
    """
    scenes = require_extra("embreex.rtcore_scene", "mesh")
    construction = require_extra("embreex.mesh_construction", "mesh")
    triangles = mesh.triangles
    scene = scenes.EmbreeScene()
    construction.TriangleMesh(scene, triangles.astype(np.float32))
    # Embree leaves its normals in single precision and unnormalised: slivers would shade at random.
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    face_normals = torch.from_numpy(normals.astype(np.float32))
    colors = torch.from_numpy(np.array(mesh.face_colors))
    rows = light_rows([light])
    diagonal = torch.tensor([mesh.diagonal])
    views = np.empty((len(cameras), 3, image_size, image_size), dtype=np.uint8)
    side = image_size * _SAMPLES
    for view, camera in zip(views, cameras, strict=True):
        origin, directions = camera_rays([camera], diagonal, side)
        rays = directions.reshape(-1, 3)
        hits = torch.from_numpy(scene.run(origin.expand_as(rays).numpy(), rays.numpy(), query="INTERSECT"))
        seen = torch.nonzero(hits >= 0)[:, 0]
        face = hits[seen].long()
        to_camera = -rays[seen]
        normal = face_normals[face]
        normal = torch.where((normal * to_camera).sum(dim=1, keepdim=True) < 0, -normal, normal)
        image = torch.full((side * side, 3), BACKGROUND)
        image[seen] = shade(normal, colors[face], to_camera, rows)
        pixels = image.reshape(image_size, _SAMPLES, image_size, _SAMPLES, 3).mean(dim=(1, 3))
        view[:] = (pixels * 255.0).round().to(torch.uint8).permute(2, 0, 1).numpy()
    return views
