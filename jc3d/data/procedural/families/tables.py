"""Tables and desks."""

from __future__ import annotations

import math

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.families.common import disc_or_box, four_legs, panel_front, pedestal, slab
from jc3d.data.procedural.palette import Palette


def table(rng: Random, b: Builder, p: Palette) -> None:
    """A dining, coffee or side table, desk, trestle, console, round or corner table, with or without a cloth."""
    style = rng.choice(
        ("legs", "pedestal", "trestle", "desk", "panels", "cube", "corner", "side"),
        (0.34, 0.16, 0.1, 0.12, 0.08, 0.05, 0.06, 0.09),
    )
    height = rng.uniform(0.3, 0.55) if rng.chance(0.35) else rng.uniform(0.6, 0.95)
    width = rng.uniform(0.7, 1.9)
    depth = rng.choice((width, width * rng.uniform(0.45, 0.7), rng.uniform(0.5, 0.9)), (0.3, 0.4, 0.3))
    if style == "side":
        width = depth = rng.uniform(0.35, 0.6)
    depth = min(depth, width) if rng.chance(0.85) else depth
    thick = rng.choice((rng.uniform(0.025, 0.06), rng.uniform(0.06, 0.14)))
    round_ = rng.chance({"pedestal": 0.6, "legs": 0.2, "side": 0.45}.get(style, 0.0))
    if round_:
        depth = width if rng.chance(0.75) else depth
    below = height - thick
    frame = p.main if rng.chance(0.45) else rng.choice((p.second, p.metal))
    if style == "corner":
        _corner(rng, b, p, width, height, thick)
        return
    if round_:
        b.cylinder((0, height - thick / 2, 0), (width, thick, depth), p.main, taper=rng.uniform(0.94, 1.04))
    else:
        slab(b, rng.choice(("box", "box", "bevel")), (0, height - thick / 2, 0), (width, thick, depth), p.main)
        if rng.chance(0.12):  # drop leaves or a cloth
            fall = height * rng.uniform(0.15, 0.7)
            for sx in (-1, 1):
                b.box((sx * width / 2, height - fall / 2, 0), (thick * 0.6, fall, depth), p.accent)
            if rng.chance(0.5):
                for sz in (-1, 1):
                    b.box((0, height - fall / 2, sz * depth / 2), (width, fall, thick * 0.6), p.accent)
    leg = rng.uniform(0.035, 0.12) if rng.chance(0.6) else rng.uniform(0.1, 0.24)  # or chunky, as games like them
    if style in ("legs", "side"):
        inner = 0.72 if round_ else 1.0
        reach = rng.uniform(0.85, 1.0)
        four_legs(b, rng, width * inner * reach, depth * inner * reach, below, frame, min(leg, 0.28 * depth))
        if rng.chance(0.25):
            level = height * rng.uniform(0.12, 0.45)
            disc_or_box(b, round_, (0, level, 0), (width * 0.85, thick * 0.8, depth * 0.85), p.second)
        if style == "side" and rng.chance(0.4):
            drawer = height * rng.uniform(0.2, 0.5)
            b.box((0, below - drawer / 2, 0), (width * 0.92, drawer, depth * 0.92), p.main)
            panel_front(
                b, rng, (-width * 0.44, below - drawer), (width * 0.88, drawer), depth * 0.46, 0.02, p.second, p.metal
            )
    elif style == "pedestal":
        if not round_ and width > 1.3 * depth:
            for sx in (-1, 1):
                start = len(b)
                pedestal(b, rng.split(1), depth * 0.35, below, frame)
                b.move(start, (sx * width * 0.28, 0, 0))
        else:
            pedestal(b, rng, min(width, depth) * rng.uniform(0.2, 0.42), below, frame)
    elif style == "trestle":
        spread, kind = width * rng.uniform(0.3, 0.44), rng.choice(("a", "x", "t"))
        for sx in (-1, 1):
            x = sx * spread
            if kind == "t":
                b.box((x, below / 2, 0), (leg, below, leg * 1.4), frame)
                b.box((x, leg / 2, 0), (leg, leg, depth * 0.85), frame)
                b.box((x, below - leg / 2, 0), (leg, leg, depth * 0.85), frame)
            else:
                for sz in (-1, 1):
                    near = depth * (0.12 if kind == "a" else -0.4)
                    b.beam((x, below, sz * near), (x, 0, sz * depth * 0.4), leg, frame)
        b.box((0, below * rng.uniform(0.2, 0.6), 0), (spread * 2, leg * 0.8, leg * 0.8), frame)
    elif style == "panels":
        for sx in (-1, 1):
            b.box((sx * (width - thick) / 2, below / 2, 0), (thick, below, depth * rng.uniform(0.85, 1.0)), frame)
        if rng.chance(0.6):
            rise = below * rng.uniform(0.3, 1.0)
            b.box((0, below - rise / 2, -depth * 0.4), (width - thick, rise, thick * 0.6), p.second)
        if rng.chance(0.35):
            b.box((0, below * rng.uniform(0.1, 0.6), 0), (width - thick, thick * 0.7, depth * 0.9), p.second)
    elif style == "cube":
        b.box((0, below / 2, 0), (width * 0.95, below, depth * 0.95), p.second, taper=rng.uniform(0.8, 1.0))
    else:
        _desk(rng, b, p, width, depth, below)


def _desk(rng: Random, b: Builder, p: Palette, width: float, depth: float, below: float) -> None:
    """Adds what stands under a desk's top: drawer blocks on one or both sides, or legs; a back panel; a hutch."""
    frame = rng.choice((p.main, p.second, p.metal))
    block = width * rng.uniform(0.2, 0.32)
    sides = rng.choice(((-1,), (1,), (-1, 1)))
    lift = below * rng.choice((0.0, rng.uniform(0.05, 0.5)))
    for sx in (-1, 1):
        x = sx * (width - block) / 2
        if sx in sides:
            rise = below - lift
            b.box((x, lift + rise / 2, 0), (block, rise, depth * 0.92), p.main)
            drawers = rng.integers(1, 4)
            for index in range(drawers):
                low = (x - block / 2, lift + rise * index / drawers)
                panel_front(b, rng, low, (block, rise / drawers), depth * 0.46, 0.02, p.second, p.metal)
        if sx not in sides or lift:
            for sz in (-1, 1):
                b.box((sx * width * 0.46, below / 2, sz * depth * 0.44), (width * 0.04, below, width * 0.04), frame)
    if rng.chance(0.5):
        b.box((0, below * 0.6, -depth * 0.42), (width * 0.9, below * 0.7, 0.03), p.main)
    if rng.chance(0.2):
        rise = rng.uniform(0.15, 0.5)
        b.box((0, below + rise, -depth * 0.35), (width, 0.04, depth * 0.3), p.main)
        for x in (-0.48, 0.0, 0.48):
            b.box((x * width, below + rise / 2, -depth * 0.35), (0.04, rise, depth * 0.3), p.second)


def _corner(rng: Random, b: Builder, p: Palette, width: float, height: float, thick: float) -> None:
    """Adds an L-shaped desk."""
    wing, depth = width * rng.uniform(0.7, 1.1), width * rng.uniform(0.35, 0.5)
    side = rng.choice((-1, 1))
    b.box((0, height - thick / 2, 0), (width, thick, depth), p.main)
    x = side * (width - depth) / 2
    b.box((x, height - thick / 2, wing / 2), (depth, thick, wing), p.main)
    leg, below = rng.uniform(0.04, 0.08), height - thick
    frame = rng.choice((p.main, p.second, p.metal))
    posts = [
        (-side * width * 0.47, depth * 0.42),
        (-side * width * 0.47, -depth * 0.42),
        (side * width * 0.47, -depth * 0.42),
    ]
    posts += [(side * width * 0.47, wing * 0.95), (side * (width / 2 - depth * 0.92), wing * 0.95)]
    for px, pz in posts:
        disc_or_box(b, rng.chance(0.3), (px, below / 2, pz), (leg, below, leg), frame)
    if rng.chance(0.5):
        block = depth * 0.8
        b.box((x, below / 2, wing - block / 2), (depth * 0.9, below, block), p.second)
    if rng.chance(0.3):
        turn = math.pi / 4
        b.box(
            (side * (width / 2 - depth), height - thick / 2, depth / 2),
            (depth * turn, thick, depth * turn),
            p.main,
            turn=[("y", 45.0)],
        )
