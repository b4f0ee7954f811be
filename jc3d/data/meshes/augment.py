"""Variations of a mesh for training: other proportions, poses and colours of the same kind of object."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jc3d.data.counter_rng import Random
from jc3d.data.meshes.mesh import Mesh, components, merged_faces, normalised

_STRETCH = 1.6  # largest factor of a side relative to the unchanged object, and its inverse
_SHEAR = 0.15  # largest slide of the top against the bottom, in heights
_TAPER = 0.25  # largest change of width from the middle to the top
_MOST_PARTS = 30
_GREY_AXIS = 1.0 / math.sqrt(3.0)


def augment(mesh: Mesh, rng: Random) -> Mesh:
    """Draws a variation: stretched, perhaps sheared, tapered, mirrored, turned by quarters about Y, recoloured.

    Args:
        mesh: a mesh in object coordinates; not changed.
        rng: where the draws come from.

    Returns:
        A mesh in object coordinates (centred, longest side 1) with the same faces in the same order.
    """
    points, faces = mesh.vertices.copy(), mesh.faces
    limit = math.log(_STRETCH)
    points *= np.exp(rng.uniforms(3, -limit, limit))
    height = points[:, 1] / max(float(np.ptp(points[:, 1])), 1e-9)  # -0.5 at the bottom, 0.5 at the top
    if rng.chance(0.3):
        amount = rng.uniforms(2, -_SHEAR, _SHEAR) * np.ptp(points[:, 1])
        points[:, 0] += amount[0] * height
        points[:, 2] += amount[1] * height
    if rng.chance(0.3):
        amount = rng.uniforms(2, -_TAPER, _TAPER)
        points[:, 0] *= 1.0 + 2.0 * amount[0] * height
        points[:, 2] *= 1.0 + 2.0 * amount[1] * height
    if rng.chance(0.5):
        points[:, 0] = -points[:, 0]
        faces = faces[:, ::-1]  # a mirror turns surfaces inside out
    for _ in range(rng.integers(0, 4)):
        points = np.stack([points[:, 2], points[:, 1], -points[:, 0]], axis=1)
    return normalised(points, faces, _recoloured(mesh, rng))


def _recoloured(mesh: Mesh, rng: Random) -> NDArray[np.float32]:
    """Colours for the faces, (F, 3): as they were, hues turned, or new ones by old colour or by component."""
    style = rng.choice(("keep", "hue", "palette", "parts", "two-tone"), (0.15, 0.25, 0.3, 0.15, 0.15))
    if style == "keep":
        return mesh.face_colors
    if style == "hue":
        return _hue_turned(mesh.face_colors, rng.uniform(0.0, 2.0 * math.pi), rng.uniform(0.7, 1.2))
    groups = np.unique(mesh.face_colors, axis=0, return_inverse=True)[1].reshape(-1)
    if style != "palette":
        parts = components(merged_faces(mesh))
        # More components than an object has parts are loose polygons: colours at random would be a patchwork.
        groups = parts if parts.max() < _MOST_PARTS else groups
    count = int(groups.max()) + 1
    colors = 2 if style == "two-tone" else min(count, 6)
    palette = np.array([_color(rng) for _ in range(colors)], dtype=np.float32)
    # The first colours in order, so that few groups all differ; the rest at random.
    which = np.array([group if group < colors else rng.integers(0, colors) for group in range(count)])
    colored: NDArray[np.float32] = palette[which[groups]]
    return colored


def _color(rng: Random) -> tuple[float, float, float]:
    """Draws a colour: often muted, as furniture is, sometimes grey, sometimes bright."""
    saturation = 0.0 if rng.chance(0.2) else rng.uniform(0.05, 0.9)
    value, hue = rng.uniform(0.12, 1.0), rng.uniform(0.0, 2.0 * math.pi)
    third = 2.0 * math.pi / 3.0
    red, green, blue = (0.5 - 0.5 * math.cos(hue - channel * third) for channel in range(3))
    return value * (1.0 - saturation * red), value * (1.0 - saturation * green), value * (1.0 - saturation * blue)


def _hue_turned(colors: NDArray[np.float32], angle: float, gain: float) -> NDArray[np.float32]:
    """Turns RGB colours about the grey axis and scales their brightness; clipped to [0, 1]."""
    cos, sin = math.cos(angle), math.sin(angle)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) * _GREY_AXIS
    turn = cos * np.eye(3) + sin * cross + (1.0 - cos) / 3.0
    turned: NDArray[np.float32] = np.clip(gain * colors @ turn.T.astype(np.float32), 0.0, 1.0).astype(np.float32)
    return turned
