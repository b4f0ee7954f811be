"""Pieces that several families share: slabs and cushions, legs and stands, doors and drawers."""

from __future__ import annotations

import math

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder, Colour, Vector

FINISHES = ("box", "bevel", "soft")


def slab(b: Builder, finish: str, centre: Vector, size: Vector, colour: Colour) -> None:
    """Adds a block with sharp ("box"), cut ("bevel") or nearly round ("soft") edges."""
    if finish == "box":
        b.box(centre, size, colour)
    else:
        b.bevel(centre, size, colour, cut=0.25 if finish == "bevel" else 0.5)


def disc_or_box(b: Builder, round_: bool, centre: Vector, size: Vector, colour: Colour, taper: float = 1.0) -> None:
    """Adds an upright elliptic cylinder or a box."""
    if round_:
        b.cylinder(centre, size, colour, taper=taper)
    else:
        b.box(centre, size, colour, taper=taper)


def four_legs(
    b: Builder, rng: Random, width: float, depth: float, height: float, colour: Colour, thickness: float
) -> None:
    """Adds legs under the corners of a width x depth top at ``height``: straight, tapered or splayed, maybe braced."""
    round_ = rng.chance(0.35)
    taper = rng.uniform(0.5, 1.0) if rng.chance(0.5) else 1.0
    splay = rng.uniform(0.02, 0.22) * height if rng.chance(0.35) else 0.0
    inset = thickness / 2 + (rng.uniform(0.0, 0.15) * min(width, depth) if splay or rng.chance(0.4) else 0.0)
    x, z = width / 2 - inset, depth / 2 - inset
    slant_z = splay * rng.uniform(0.3, 1.0)
    for sx in (-1, 1):
        for sz in (-1, 1):
            top = (sx * x, height, sz * z)
            foot = (sx * (x + splay), 0.0, sz * (z + slant_z))
            b.beam(top, foot, thickness, colour, round_=round_, taper=taper)
    brace = rng.choice(("none", "sides", "h", "box"), (0.6, 0.15, 0.12, 0.13))
    if brace != "none":
        level = height * rng.uniform(0.15, 0.5)
        x, z = x + splay * (1 - level / height), z + slant_z * (1 - level / height)
        bar = thickness * rng.uniform(0.5, 0.9)
        for sx in (-1, 1):
            b.box((sx * x, level, 0.0), (bar, bar, 2 * z), colour)
        if brace == "h":
            b.box((0.0, level, 0.0), (2 * x, bar, bar), colour)
        elif brace == "box":
            for sz in (-1, 1):
                b.box((0.0, level, sz * z), (2 * x, bar, bar), colour)
    if rng.chance(0.4):
        apron = rng.uniform(0.05, 0.16) * height
        b.box((0.0, height - apron / 2, 0.0), (width - 2 * inset, apron, depth - 2 * inset), colour)


def pedestal(b: Builder, rng: Random, radius: float, height: float, colour: Colour) -> None:
    """Adds one central column on a foot: disc, cone, cross, or the star of an office chair."""
    column = radius * rng.uniform(0.12, 0.35)
    foot = rng.choice(("disc", "cone", "cross", "square", "trumpet"))
    if foot == "disc":
        b.cylinder((0, height * 0.03, 0), (radius * 2, height * 0.06, radius * 2), colour, taper=rng.uniform(0.7, 1.0))
    elif foot == "square":
        b.box((0, height * 0.04, 0), (radius * 2, height * 0.08, radius * 2), colour, taper=rng.uniform(0.7, 1.0))
    elif foot == "cone":
        rise = height * rng.uniform(0.15, 0.5)
        b.cylinder((0, rise / 2, 0), (radius * 2, rise, radius * 2), colour, taper=rng.uniform(0.1, 0.3))
    elif foot == "trumpet":
        b.cylinder((0, height * 0.25, 0), (radius * 2, height * 0.5, radius * 2), colour, taper=0.25)
        b.cylinder((0, height * 0.85, 0), (radius * 0.5, height * 0.3, radius * 0.5), colour, taper=2.5)
    else:
        bar = height * rng.uniform(0.06, 0.14)
        for turn in (45.0, 135.0) if rng.chance(0.5) else (0.0, 90.0):
            b.box((0, bar / 2, 0), (radius * 2, bar, bar * 1.2), colour, turn=[("y", turn)])
    disc_or_box(b, rng.chance(0.7), (0, height / 2, 0), (column * 2, height, column * 2), colour)


def star_base(b: Builder, rng: Random, radius: float, height: float, colour: Colour, dark: Colour) -> None:
    """Adds the base of an office chair: arms in a star, a gas spring, usually castors."""
    arms = rng.choice((4, 5, 5))
    castors = rng.chance(0.75)
    rest = height * rng.uniform(0.14, 0.22)
    for arm in range(arms):
        angle = 2 * math.pi * (arm + 0.25) / arms
        x, z = radius * math.sin(angle), radius * math.cos(angle)
        b.beam((0, rest * 1.4, 0), (x, rest if castors else rest * 0.3, z), radius * 0.16, colour, taper=0.7)
        if castors:
            b.cylinder((x, rest * 0.45, z), (rest * 0.6, rest * 0.9, rest * 0.9), dark, along="x")
    b.cylinder((0, (height + rest) / 2, 0), (radius * 0.22, height - rest, radius * 0.22), colour)


def panel_front(
    b: Builder,
    rng: Random,
    low: tuple[float, float],
    size: tuple[float, float],
    front: float,
    depth: float,
    face: Colour,
    knob: Colour,
) -> None:
    """Covers a front (facing +Z) with one door or drawer, proud of it by ``depth`` and with a handle at times.

    ``low`` and ``size`` are the rectangle's lower left corner and extents in x and y; ``front`` is the plane's z.
    """
    width, height = size
    x, y = low[0] + width / 2, low[1] + height / 2
    gap = 0.04 * min(width, height)
    b.box((x, y, front + depth / 2), (width - 2 * gap, height - 2 * gap, depth), face)
    handle = rng.choice(("none", "knob", "bar", "inset"), (0.2, 0.3, 0.3, 0.2))
    tall = height > width * 1.1
    unit = min(width, height)
    if handle == "knob":
        dx = width * rng.choice((-0.36, 0.36)) if tall else 0.0
        b.ellipsoid((x + dx, y, front + depth * 1.6), (unit * 0.12, unit * 0.12, depth * 2 + unit * 0.05), knob)
    elif handle == "bar":
        dx = width * rng.choice((-0.36, 0.36)) if tall else 0.0
        extent = (unit * 0.06, height * 0.3, depth * 1.5) if tall else (width * 0.35, unit * 0.07, depth * 1.5)
        b.box((x + dx, y, front + depth * 1.6), extent, knob)
    elif handle == "inset":
        b.box((x, y, front + depth * 0.8), (width * 0.7, height * 0.7, depth), knob)


def feet(b: Builder, rng: Random, width: float, depth: float, height: float, colour: Colour) -> None:
    """Adds short feet, or a plinth, below a body that stands at ``height``."""
    style = rng.choice(("pegs", "plinth", "rails", "cones"))
    if style == "plinth":
        inset = rng.uniform(0.85, 1.0)
        b.box((0, height / 2, 0), (width * inset, height, depth * inset), colour)
    elif style == "rails":
        for sx in (-1, 1):
            b.box((sx * width * 0.42, height / 2, 0), (width * 0.08, height, depth * 0.9), colour)
    else:
        thick = rng.uniform(0.06, 0.12) * min(width, depth) + 0.01
        for sx in (-1, 1):
            for sz in (-1, 1):
                centre = (sx * (width * 0.46 - thick / 2), height / 2, sz * (depth * 0.46 - thick / 2))
                if style == "pegs":
                    b.box(centre, (thick, height, thick), colour)
                else:
                    b.cylinder(centre, (thick, height, thick), colour, along="-y", taper=0.5)


def wheel(b: Builder, centre: Vector, radius: float, width: float, tyre: Colour, hub: Colour) -> None:
    """Adds a wheel that rolls along Z, its hub showing on both sides."""
    b.cylinder(centre, (width, radius * 2, radius * 2), tyre, along="x")
    b.cylinder(centre, (width * 1.12, radius * 1.1, radius * 1.1), hub, along="x")
