"""Displays, loudspeakers and telephones."""

from __future__ import annotations

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.families.common import disc_or_box, feet, slab
from jc3d.data.procedural.palette import Palette


def display(rng: Random, b: Builder, p: Palette) -> None:
    """A monitor, television on feet or stand, tube set, laptop, all-in-one, or a wall of screens; it faces +Z."""
    style = rng.choice(("monitor", "tv", "tube", "laptop", "pair", "kiosk"), (0.34, 0.24, 0.18, 0.12, 0.06, 0.06))
    width = rng.uniform(0.45, 0.75) if style in ("monitor", "laptop", "pair") else rng.uniform(0.6, 1.3)
    tall = width * rng.uniform(0.5, 0.8)
    thick = width * rng.uniform(0.03, 0.12)
    rim = tall * rng.uniform(0.02, 0.08)
    body = rng.choice((p.dark, p.main, p.second))
    screen = rng.choice((p.dark, p.glass, p.accent))
    if style == "tube":
        _tube(rng, b, p, width, tall, rim)
        return
    if style == "laptop":
        depth = width * rng.uniform(0.6, 0.8)
        base = width * rng.uniform(0.03, 0.07)
        b.box((0, base / 2, 0), (width, base, depth), body)
        b.box((0, base, depth * 0.08), (width * 0.85, base * 0.2, depth * 0.5), p.second)
        start = len(b)
        b.box((0, tall / 2, 0), (width, tall, base * 0.8), body)
        b.box((0, tall / 2, base * 0.3), (width - 2 * rim, tall - 2 * rim, base * 0.3), screen)
        b.move(start, (0, base * 0.5, -depth / 2), [("x", -rng.uniform(5.0, 40.0))])
        return
    if style == "kiosk":
        rise = tall * rng.uniform(0.8, 1.5)
        b.box(
            (0, rise / 2, 0), (width * rng.uniform(0.2, 0.6), rise, width * 0.25), p.main, taper=rng.uniform(0.6, 1.0)
        )
        b.box((0, 0.02, 0), (width * 0.8, 0.04, width * 0.5), p.second)
        start = len(b)
        b.box((0, 0, 0), (width, tall, thick), body)
        b.box((0, 0, thick * 0.4), (width - 2 * rim, tall - 2 * rim, thick * 0.4), screen)
        b.move(start, (0, rise + tall * 0.4, 0), [("x", -rng.uniform(0.0, 50.0))])
        return
    stand = tall * rng.uniform(0.12, 0.45) if style != "tv" else tall * rng.uniform(0.05, 0.2)
    start = len(b)
    slab(b, rng.choice(("box", "box", "bevel")), (0, stand + tall / 2, 0), (width, tall, thick), body)
    b.box((0, stand + tall / 2 + rim * 0.3, thick * 0.42), (width - 2 * rim, tall - 2 * rim, thick * 0.3), screen)
    if rng.chance(0.5):  # the bulge at the back
        bulge = thick * rng.uniform(0.6, 2.5)
        b.box(
            (0, stand + tall * 0.45, -thick / 2 - bulge / 2),
            (width * 0.7, tall * 0.65, bulge),
            body,
            along="-z",
            taper=0.75,
        )
    foot = rng.choice(("plate", "feet", "v", "box"), (0.55, 0.25, 0.1, 0.1))
    depth = width * rng.uniform(0.22, 0.42)
    plate = tall * rng.uniform(0.02, 0.05)
    if foot == "plate":
        reach = width * rng.uniform(0.3, 0.6)
        disc_or_box(b, rng.chance(0.45), (0, plate / 2, 0), (reach, plate, depth), p.second)
        neck = width * rng.uniform(0.06, 0.22)
        b.box((0, (stand + tall * 0.2) / 2, -thick * 0.6), (neck, stand + tall * 0.2, thick * 0.8), p.second)
    elif foot == "feet":
        for sx in (-1, 1):
            x = sx * width * rng.uniform(0.3, 0.42)
            b.box((x, plate / 2, 0), (width * 0.04, plate, depth), p.second)
            b.box((x, stand / 2, 0), (width * 0.04, stand, thick), p.second)
    elif foot == "v":
        for sx in (-1, 1):
            b.beam((0, stand + tall * 0.1, -thick * 0.6), (sx * width * 0.25, 0, depth * 0.4), width * 0.04, p.metal)
        b.beam((0, stand + tall * 0.1, -thick * 0.6), (0, 0, -depth * 0.5), width * 0.04, p.metal)
    else:
        b.box((0, stand / 2, 0), (width * rng.uniform(0.6, 1.0), stand, depth), p.second, taper=(1.0, 0.6))
    if style == "pair":
        angle = rng.uniform(8.0, 30.0)
        b.move(start, (width * 0.51, 0, 0), [("y", -angle)])
        b.mirror(start)
    elif rng.chance(0.12):
        b.box((0, plate, depth * 0.9), (width * 0.8, plate * 1.2, width * 0.25), p.accent)


def _tube(rng: Random, b: Builder, p: Palette, width: float, tall: float, rim: float) -> None:
    """A television or monitor with a picture tube: a deep tapered case, on a foot, legs or the floor."""
    depth = width * rng.uniform(0.5, 0.95)
    tall = max(tall, width * 0.62)
    case = depth * rng.uniform(0.35, 1.0)
    lift = tall * rng.choice((0.0, rng.uniform(0.06, 0.5)))
    z = depth / 2 - case / 2
    slab(b, rng.choice(("box", "bevel")), (0, lift + tall / 2, z), (width, tall, case), p.main)
    rear = depth - case
    if rear > 0.02:
        b.box(
            (0, lift + tall / 2, -depth / 2 + rear / 2),
            (width * 0.96, tall * 0.96, rear),
            p.main,
            along="-z",
            taper=rng.uniform(0.4, 0.75),
        )
    panel = width * rng.choice((0.0, 0.22))  # knobs to the right of the screen
    b.bevel(
        (-panel / 2, lift + tall * 0.52, depth / 2),
        (width - panel - 2.5 * rim, tall * 0.82, width * 0.05),
        p.glass,
        cut=0.3,
    )
    if panel:
        for y in (0.7, 0.5):
            b.cylinder(
                (width / 2 - panel * 0.55, lift + tall * y, depth / 2),
                (panel * 0.5, panel * 0.5, width * 0.06),
                p.metal,
                along="z",
            )
    if lift:
        if rng.chance(0.5):
            feet(b, rng, width * 0.9, depth * 0.8, lift, p.second)
        else:
            disc_or_box(b, rng.chance(0.5), (0, lift / 2, 0), (width * 0.55, lift, depth * 0.6), p.second, taper=0.7)
    if rng.chance(0.35):
        for sx in (-1, 1):
            top = lift + tall
            b.beam((0, top, 0), (sx * width * 0.4, top + tall * rng.uniform(0.3, 0.7), 0), width * 0.02, p.metal)


def speaker(rng: Random, b: Builder, p: Palette) -> None:
    """A loudspeaker: shelf, tower, subwoofer, satellite on a stand, rounded, a bar or a stack; it faces +Z."""
    style = rng.choice(
        ("shelf", "tower", "cube", "stand", "round", "bar", "stack"), (0.26, 0.26, 0.12, 0.1, 0.1, 0.06, 0.1)
    )
    width = 1.0
    tall = {"tower": rng.uniform(2.8, 4.8), "cube": rng.uniform(0.85, 1.15), "bar": rng.uniform(0.14, 0.25)}.get(
        style, rng.uniform(1.3, 2.1)
    )
    depth = width * (rng.uniform(0.15, 0.3) if style == "bar" else rng.uniform(0.7, 1.4))
    low = 0.0
    if style == "stand":
        low = rng.uniform(1.2, 2.5)
        disc_or_box(b, rng.chance(0.5), (0, 0.05, 0), (width, 0.1, width), p.second)
        b.cylinder((0, low / 2, 0), (0.15, low, 0.15), p.metal)
    elif rng.chance(0.4):
        low = rng.uniform(0.05, 0.2)
        feet(b, rng, width, depth, low, p.dark)
    if style == "round":
        if rng.chance(0.5):
            b.cylinder((0, low + tall / 2, 0), (width, tall, width), p.main, taper=rng.uniform(0.7, 1.0))
            depth = width
        else:
            depth = tall = width * rng.uniform(0.9, 1.2)
            b.ellipsoid((0, low + tall / 2, 0), (width, tall, depth), p.main)
    else:
        taper = (rng.uniform(0.7, 1.0), rng.uniform(0.7, 1.0)) if rng.chance(0.2) else (1.0, 1.0)
        if taper == (1.0, 1.0):
            slab(b, rng.choice(("box", "box", "bevel")), (0, low + tall / 2, 0), (width, tall, depth), p.main)
        else:
            b.box((0, low + tall / 2, 0), (width, tall, depth), p.main, taper=taper)
    front = depth / 2
    ring, cone = p.accent, p.dark
    if style == "bar":
        for index in range(4):
            b.cylinder(((index - 1.5) * 0.24, low + tall / 2, front), (tall * 0.7, tall * 0.7, 0.04), cone, along="z")
        return
    if style not in ("round",) or tall > 1.25:
        face = rng.choice((0.0, 0.03))
        if face:
            b.box((0, low + tall / 2, front), (width * 0.9, tall * 0.94, face * 2), p.second)
            front += face
        drivers = rng.choice((1, 2)) if tall < 1.25 else rng.choice((2, 2, 3, 4))
        bulge = rng.uniform(0.04, 0.14)
        y = low + tall * 0.1
        for index in range(drivers):
            size = width * (rng.uniform(0.6, 0.82) if index == 0 else rng.uniform(0.25, 0.7))
            if y + size > low + tall * 0.98:
                break
            y += size / 2
            b.cylinder((0, y, front), (size, size, bulge), ring, along="z")
            b.cylinder((0, y, front + bulge * 0.3), (size * 0.8, size * 0.8, bulge), cone, along="z")
            b.ellipsoid((0, y, front + bulge * 0.6), (size * 0.3, size * 0.3, bulge), ring)
            y += size / 2 + tall * 0.03
    if style == "stack":
        start = 0
        if rng.chance(0.5):
            b.copy(start, (width * 1.02, 0, 0))
        else:
            b.copy(start, (0, low + tall, 0), scale=rng.uniform(0.7, 1.0))


def telephone(rng: Random, b: Builder, p: Palette) -> None:
    """A mobile, flip, cordless or desk telephone, an old handset on a cradle, or a candlestick set."""
    style = rng.choice(
        ("smart", "keys", "flip", "desk", "cradle", "cordless", "candle", "wall"),
        (0.16, 0.2, 0.1, 0.24, 0.14, 0.06, 0.04, 0.06),
    )
    if style in ("smart", "keys", "flip", "cordless"):
        _mobile(rng, b, p, style)
        return
    if style == "candle":
        b.cylinder((0, 0.04, 0), (0.4, 0.08, 0.4), p.main, taper=0.8)
        b.cylinder((0, 0.4, 0), (0.09, 0.8, 0.09), p.main)
        b.cylinder((0, 0.8, 0.08), (0.2, 0.2, 0.18), p.metal, along="z", taper=1.5)
        b.cylinder((0.22, 0.5, 0), (0.12, 0.35, 0.12), p.dark, taper=1.5)
        b.box((0.1, 0.62, 0), (0.22, 0.03, 0.03), p.metal)
        return
    width, depth = rng.uniform(0.7, 1.1), rng.uniform(0.7, 1.0)
    low, high = rng.uniform(0.08, 0.2), rng.uniform(0.2, 0.45)
    face = rng.choice((p.main, p.second))
    if style == "cradle":
        rise = rng.uniform(0.35, 0.6)
        b.box(
            (0, rise / 2, 0),
            (width, rise, depth),
            p.main,
            taper=(rng.uniform(0.5, 0.8), rng.uniform(0.4, 0.7)),
            lean=(0.0, -depth * 0.1),
        )
        start = len(b)
        size = width * rng.uniform(0.4, 0.55)
        b.cylinder((0, 0, 0), (size, 0.06, size), p.metal)
        b.cylinder((0, 0.03, 0), (size * 0.5, 0.06, size * 0.5), p.second)
        b.move(start, (0, rise * 0.55, depth * 0.28), [("x", 55.0)])
        for sx in (-1, 1):
            b.box((sx * width * 0.25, rise + 0.05, -depth * 0.1), (0.08, 0.12, depth * 0.25), p.main)
        _handset(rng, b, p, (0.0, rise + 0.14, -depth * 0.1), width * rng.uniform(1.0, 1.3), 90.0)
        return
    start = len(b)
    # A wedge: low at the front, high at the back.
    b.box((0, low / 2, 0), (width, low, depth), p.main)
    b.box(
        (0, low + (high - low) / 2, -depth * 0.1),
        (width, high - low, depth * 0.8),
        face,
        taper=(1.0, 0.15),
        lean=(0.0, -depth * 0.34),
    )
    slope = 0.42 * (high - low)
    keys_x = width * 0.17
    for row in range(3 if rng.chance(0.7) else 4):
        for column in range(3):
            at = depth * (0.24 - 0.15 * row)
            y = low + slope * (0.15 + 0.5 * row)
            b.box((keys_x + (column - 1) * width * 0.14, y + 0.02, at), (width * 0.09, 0.06, depth * 0.09), p.accent)
    if rng.chance(0.6):
        b.box((keys_x, high * 0.95, -depth * 0.33), (width * 0.45, 0.1, depth * 0.16), p.glass, turn=[("x", 25.0)])
    _handset(rng, b, p, (-width * 0.33, (low + high) / 2 + 0.12, -depth * 0.02), depth * rng.uniform(0.9, 1.1), 0.0)
    if style == "wall":
        b.move(start, turn=[("x", 80.0)])


def _handset(
    rng: Random, b: Builder, p: Palette, centre: tuple[float, float, float], length: float, yaw: float
) -> None:
    """Adds a receiver lying along Z (yaw 0) or X (yaw 90): a grip between two cups."""
    start = len(b)
    thick = length * rng.uniform(0.13, 0.2)
    colour = rng.choice((p.second, p.dark, p.main))
    round_ = rng.chance(0.5)
    b.box((0, thick * 0.35, 0), (thick, thick * 0.7, length * 0.85), colour)
    for sz in (-1, 1):
        disc_or_box(b, round_, (0, -thick * 0.1, sz * length * 0.4), (thick * 1.3, thick * 0.9, thick * 1.4), colour)
    b.move(start, centre, [("y", yaw)])


def _mobile(rng: Random, b: Builder, p: Palette, style: str) -> None:
    """Adds an upright phone facing +Z: slab with a screen, keys, a folding lid, or a charging cradle."""
    width = 0.5 if style != "keys" else rng.uniform(0.36, 0.5)
    tall, thick = rng.uniform(0.85, 1.15), rng.uniform(0.05, 0.2) if style == "keys" else rng.uniform(0.04, 0.1)
    start = len(b)
    case = rng.choice((p.main, p.dark, p.second))

    def body(y: float, height: float) -> None:
        slab(b, rng.split(9).choice(("box", "bevel")), (0, y, 0), (width, height, thick), case)

    front = thick / 2
    if style == "smart":
        body(tall / 2, tall)
        b.box(
            (0, tall * 0.51, front),
            (width * 0.9, tall * rng.uniform(0.75, 0.92), thick * 0.15),
            rng.choice((p.dark, p.glass)),
        )
        if rng.chance(0.5):
            b.cylinder((0, tall * 0.06, front), (0.07, 0.07, thick * 0.3), p.metal, along="z")
        if rng.chance(0.5):
            b.box((width * 0.25, tall * 0.88, -front), (width * 0.3, tall * 0.12, thick * 0.4), p.dark)
    else:
        half = tall * (0.5 if style == "flip" else 0.42)
        if style == "flip":
            body(half / 2, half)
        else:
            body(tall / 2, tall)
        rows = rng.choice((3, 4))
        for row in range(rows):
            for column in range(3):
                at = half * (0.14 + 0.72 * (row + 0.5) / rows)
                b.box(((column - 1) * width * 0.28, at, front), (width * 0.2, half * 0.5 / rows, thick * 0.3), p.accent)
        if style == "flip":
            lid = len(b)
            b.box((0, half / 2, -thick * 0.2), (width, half, thick * 0.6), case)
            b.box((0, half * 0.52, thick * 0.12), (width * 0.8, half * 0.75, thick * 0.15), p.glass)
            b.move(lid, (0, half, 0), [("x", rng.uniform(0.0, 50.0))])
        else:
            b.box((0, tall * 0.7, front), (width * 0.8, tall * rng.uniform(0.2, 0.36), thick * 0.3), p.glass)
        if style != "flip" and rng.chance(0.55):
            b.cylinder((width * 0.36, tall * 1.08, 0), (0.07, tall * rng.uniform(0.16, 0.4), 0.07), p.dark)
        if style == "cordless":
            b.box((0, 0.06, 0), (width * 1.3, 0.24, thick * 3.5 + 0.2), p.second, taper=0.85)
    if style in ("smart", "keys") and rng.chance(0.35):
        b.move(start, turn=[("x", -rng.choice((15.0, 30.0, 90.0)))])
