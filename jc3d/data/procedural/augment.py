"""Augmentation: the same object stretched, sheared, with parts missing or moved, and in other colours."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Colour
from jc3d.data.procedural.palette import recoloured
from jc3d.data.procedural.primitives import FloatArray, Shape, compose, invert, normalised


def augment(shape: Shape, rng: Random, strength: float = 1.0) -> Shape:
    """Gives a varied copy for training: anisotropic scale, a little shear, jittered parts, other colours.

    The object stays upright and facing its way.

    Args:
        shape: a normalised object.
        rng: the stream to draw from.
        strength: scales how far everything moves, 0 for no change of geometry.

    Returns:
        A normalised object with the same category and seed.
    """
    part_to_world = invert(shape.world_to_part)
    kind, taper, colour = shape.kind, shape.taper, shape.colour
    matrix = np.hstack((np.eye(3), np.zeros((3, 1))))
    for axis in range(3):
        matrix[axis, axis] = np.exp2(rng.uniform(-0.4, 0.4) * strength)
    if rng.chance(0.3):  # sheared with height, so that uprights lean
        matrix[0, 1], matrix[2, 1] = rng.uniforms(2, -0.12, 0.12) * strength
    if rng.chance(0.3):  # thicker or thinner parts
        part_to_world = part_to_world.copy()
        part_to_world[:, :, :3] *= 1.0 + strength * rng.uniform(-0.1, 0.12)
    if len(kind) > 5 and rng.chance(0.25):
        keep = rng.uniforms(len(kind)) >= 0.06 * strength
        keep[np.argmax(np.abs(part_to_world[:, :, :3]).sum(axis=(1, 2)))] = True
        kind, taper, colour, part_to_world = kind[keep], taper[keep], colour[keep], part_to_world[keep]
    return normalised(shape.category, shape.seed, kind, compose(matrix, part_to_world), taper, _recolour(colour, rng))


def _recolour(colour: FloatArray, rng: Random) -> FloatArray:
    """Changes colours consistently: parts that shared one still do (or all of them turn into one)."""
    style = rng.choice(("keep", "jitter", "swap", "single"), (0.25, 0.4, 0.25, 0.1))
    if style == "keep":
        return colour
    turn, saturation, value = rng.uniform(-0.06, 0.06), rng.uniform(0.6, 1.3), rng.uniform(0.7, 1.3)

    def jitter(old: Colour) -> Colour:
        hue, s, v = colorsys.rgb_to_hsv(*old)
        return colorsys.hsv_to_rgb((hue + turn) % 1.0, min(1.0, s * saturation), min(1.0, v * value))

    def swap(old: Colour) -> Colour:
        return recoloured(old, rng)

    change: Callable[[Colour], Colour] = jitter if style == "jitter" else swap
    table: dict[Colour, Colour] = {}
    single = recoloured((0.7, 0.7, 0.7), rng)
    new = np.empty_like(colour)
    for index, row in enumerate(colour.tolist()):
        old = (row[0], row[1], row[2])
        if old not in table:
            table[old] = single if style == "single" else change(old)
        new[index] = table[old]
    return new
