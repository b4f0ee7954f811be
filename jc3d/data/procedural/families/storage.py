"""Cabinets, cupboards, bookcases, kitchen units, wardrobes and chests."""

from __future__ import annotations

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.families.common import feet, panel_front, slab
from jc3d.data.procedural.palette import Palette


def cabinet(rng: Random, b: Builder, p: Palette) -> None:
    """A cupboard, chest of drawers, sideboard, wardrobe, open shelf, kitchen unit, corner unit or wall unit."""
    form = rng.choice(("cube", "wide", "tall", "low", "deep"), (0.26, 0.26, 0.24, 0.14, 0.1))
    width, height, depth = {
        "cube": (rng.uniform(0.7, 1.1), rng.uniform(0.7, 1.1), rng.uniform(0.5, 1.1)),
        "wide": (rng.uniform(1.1, 1.8), rng.uniform(0.6, 1.0), rng.uniform(0.4, 0.7)),
        "tall": (rng.uniform(0.4, 1.1), rng.uniform(1.2, 2.1), rng.uniform(0.3, 0.65)),
        "low": (rng.uniform(1.2, 2.0), rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.65)),
        "deep": (rng.uniform(0.8, 1.1), rng.uniform(0.45, 0.9), rng.uniform(0.8, 1.1)),
    }[form]
    lift = rng.uniform(0.04, 0.16) if rng.chance(0.5) else 0.0
    if lift and rng.chance(0.15):
        lift *= 2.5
    frame = rng.choice((p.main, p.second, p.metal))
    if lift:
        feet(b, rng, width, depth, lift, frame)
    style = rng.choice(("closed", "open", "mixed", "corner"), (0.56, 0.22, 0.16, 0.06))
    if style == "corner":
        _corner_unit(rng, b, p, width, height, lift)
        return
    split = 1.0 if style == "closed" else 0.0 if style == "open" else rng.uniform(0.3, 0.7)
    closed = height * split
    if closed:
        b.box((0, lift + closed / 2, 0), (width, closed, depth), p.main)
        _front(rng, b, p, width, closed, lift, depth / 2)
    if closed < height:
        _shelves(
            rng, b, p, width, height - closed, depth * (rng.uniform(0.6, 1.0) if closed else 1.0), lift + closed, depth
        )
    top = lift + height
    if rng.chance(0.5):  # a top board, kitchen worktop or cornice
        thick = rng.uniform(0.02, 0.09)
        over = rng.uniform(0.0, 0.06)
        slab(b, "box", (0, top + thick / 2, over / 2), (width + over, thick, depth + over), p.accent)
        top += thick
    if rng.chance(0.1):  # a splashback or mirror
        rise = rng.uniform(0.08, 0.5)
        b.box((0, top + rise / 2, -depth * 0.47), (width, rise, depth * 0.06), p.second)
    elif form != "tall" and rng.chance(0.18):
        _clutter(rng, b, p, width, depth, top)


def _front(rng: Random, b: Builder, p: Palette, width: float, height: float, low: float, front: float) -> None:
    """Divides a closed front into columns and rows of doors and drawers."""
    columns = max(1, round(width / rng.uniform(0.35, 0.8)))
    face = p.second if rng.chance(0.6) else p.main
    depth = rng.uniform(0.01, 0.035)
    drawers_on_top = rng.uniform(0.15, 0.35) if rng.chance(0.35) else 0.0
    all_drawers = rng.chance(0.3)
    each = width / columns
    for column in range(columns):
        x = column * each - width / 2
        if all_drawers or (columns > 1 and rng.chance(0.15)):
            rows = max(1, min(5, round(height / rng.uniform(0.18, 0.4))))
            for row in range(rows):
                panel_front(b, rng, (x, low + height * row / rows), (each, height / rows), front, depth, face, p.metal)
            continue
        door = height * (1 - drawers_on_top)
        panel_front(b, rng, (x, low), (each, door), front, depth, face, p.metal)
        if drawers_on_top:
            panel_front(b, rng, (x, low + door), (each, height - door), front, depth, face, p.metal)


def _shelves(
    rng: Random, b: Builder, p: Palette, width: float, height: float, depth: float, low: float, full: float
) -> None:
    """Adds an open case: sides, boards, usually a back, uprights and books at times."""
    board = rng.uniform(0.02, 0.06)
    z = -(full - depth) / 2
    for sx in (-1, 1):
        b.box((sx * (width - board) / 2, low + height / 2, z), (board, height, depth), p.main)
    rows = max(1, round(height / rng.uniform(0.25, 0.5)))
    for row in range(rows + 1):
        y = low + board / 2 + (height - board) * row / rows
        b.box((0, y, z), (width - board, board, depth), p.main)
    backed = rng.chance(0.75)
    if backed:
        b.box((0, low + height / 2, z - depth / 2 + board / 2), (width, height, board), p.second)
    columns = rng.choice((1, 1, 2, 3)) if width > 0.8 else 1
    for column in range(1, columns):
        b.box((width * (column / columns - 0.5), low + height / 2, z), (board, height, depth * 0.95), p.main)
    if rng.chance(0.45):
        colours = (p.accent, p.second, p.dark, p.metal)
        for row in range(rows):
            if rng.chance(0.75):
                gap = (height - board) / rows
                share = rng.uniform(0.2, 0.95)
                start = rng.uniform(-0.5, 0.5 - share) * (width - 2 * board)
                stacks = rng.integers(1, 4)
                for stack in range(stacks):
                    tall = gap * rng.uniform(0.5, 0.85)
                    each = share * (width - 2 * board) / stacks
                    b.box(
                        (start + (stack + 0.5) * each, low + gap * row + board + tall / 2, z - depth * 0.1),
                        (each, tall, depth * rng.uniform(0.5, 0.8)),
                        rng.choice(colours),
                    )


def _corner_unit(rng: Random, b: Builder, p: Palette, width: float, height: float, low: float) -> None:
    """Adds an L-shaped kitchen unit, inner or outer corner."""
    height = min(height, width)
    arm = width * rng.uniform(0.4, 0.6)
    b.box((0, low + height / 2, -(width - arm) / 2), (width, height, arm), p.main)
    b.box((-(width - arm) / 2, low + height / 2, 0), (arm, height, width), p.main)
    thick = rng.uniform(0.03, 0.08)
    b.box((0, low + height, -(width - arm) / 2), (width, thick, arm), p.accent)
    b.box((-(width - arm) / 2, low + height, 0), (arm, thick, width), p.accent)
    panel_front(
        b, rng, (-width / 2 + arm, low), (width - arm, height * 0.95), -width / 2 + arm, 0.02, p.second, p.metal
    )


def _clutter(rng: Random, b: Builder, p: Palette, width: float, depth: float, top: float) -> None:
    """Puts a few small things on top."""
    for _ in range(rng.integers(1, 4)):
        size, tall = rng.uniform(0.08, 0.25), rng.uniform(0.06, 0.35)
        x, z = rng.uniform(-0.35, 0.35) * width, rng.uniform(-0.2, 0.2) * depth
        colour = rng.choice((p.accent, p.second, p.dark))
        if rng.chance(0.5):
            b.cylinder((x, top + tall / 2, z), (size, tall, size), colour, taper=rng.uniform(0.5, 1.2))
        else:
            b.box((x, top + tall / 2, z), (size, tall, size * rng.uniform(0.3, 1.0)), colour)
