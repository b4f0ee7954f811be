"""Watercraft."""

from __future__ import annotations

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder, Colour
from jc3d.data.procedural.palette import Palette


def watercraft(rng: Random, b: Builder, p: Palette) -> None:
    """A rowing boat, speed boat, yacht, sailing boat, sailing ship, freighter, tug or warship; the bow points to +Z."""
    style = rng.choice(
        ("row", "speed", "sail", "ship", "freighter", "yacht", "tug", "galleon"),
        (0.15, 0.17, 0.22, 0.1, 0.1, 0.1, 0.08, 0.08),
    )
    length = 1.0
    beam = {"row": rng.uniform(0.3, 0.55), "speed": rng.uniform(0.28, 0.5), "sail": rng.uniform(0.22, 0.42)}.get(
        style, rng.uniform(0.15, 0.32)
    )
    tall = beam * rng.uniform(0.3, 0.75)
    deck = rng.choice((p.second, p.accent))
    bow = rng.uniform(0.2, 0.4)
    if style == "row":
        _open_hull(rng, b, p, length, beam, tall, bow)
        for index in range(rng.integers(1, 4)):
            b.box((0, tall * 0.75, -0.25 + 0.22 * index), (beam * 0.92, tall * 0.12, 0.08), p.accent)
        if rng.chance(0.5):
            since = len(b)
            b.beam((beam * 0.4, tall, 0), (beam * 1.2, tall * 0.7, rng.uniform(-0.2, 0.2)), 0.02, p.second, round_=True)
            b.mirror(since)
        if rng.chance(0.3):
            b.box((0, tall * 0.8, -length * 0.5), (beam * 0.2, tall * 0.9, 0.08), p.dark)
        return
    _hull(rng, b, p.main, deck, length, beam, tall, bow)
    if style == "speed":
        slope = rng.uniform(0.05, 0.12)
        rise = tall * rng.uniform(0.4, 0.9)
        reach = length * rng.uniform(0.2, 0.4)
        b.box(
            (0, tall + rise / 2, rng.uniform(-0.05, 0.1)),
            (beam * 0.72, rise, reach),
            p.glass,
            taper=(0.8, 0.6),
            lean=(0.0, -slope),
        )
        if rng.chance(0.6):
            b.box((0, tall + rise, -slope), (beam * 0.7, tall * 0.1, reach * 0.8), p.second)
        for sx in (-1, 1) if rng.chance(0.3) else (0,):
            b.box((sx * beam * 0.2, tall * 0.9, -length / 2), (beam * 0.18, tall * 0.9, 0.1), p.dark)
    elif style == "sail":
        _sloop(rng, b, p, beam, tall)
    elif style in ("ship", "galleon"):
        _square_rigged(rng, b, p, beam, tall)
    elif style == "freighter":
        _freighter(rng, b, p, beam, tall)
    elif style == "yacht":
        y, reach = tall, length * rng.uniform(0.5, 0.65)
        for _ in range(rng.integers(1, 4)):
            rise = tall * rng.uniform(0.4, 0.6)
            b.box(
                (0, y + rise / 2, -0.1),
                (beam * 0.8 * reach / 0.65, rise, reach),
                p.second,
                taper=(0.9, 0.85),
                lean=(0.0, -0.03),
            )
            b.box((0, y + rise * 0.5, -0.1), (beam * 0.81 * reach / 0.65, rise * 0.4, reach * 0.97), p.glass)
            y, reach = y + rise, reach * rng.uniform(0.55, 0.75)
        if rng.chance(0.6):
            b.beam((0, y, -0.15), (0, y + tall, -0.2), 0.02, p.metal)
    else:
        rise = beam * rng.uniform(0.5, 0.9)
        b.box((0, tall + rise / 2, rng.uniform(0.0, 0.15)), (beam * 0.6, rise, 0.25), p.second)
        b.box((0, tall + rise * 0.7, 0.1), (beam * 0.62, rise * 0.25, 0.26), p.glass)
        b.cylinder((0, tall + rise * 0.7, -0.12), (beam * 0.2, rise * 1.4, beam * 0.2), p.accent)
        b.beam((0, tall, -0.3), (0, tall + rise * rng.uniform(0.6, 1.6), -0.3), 0.025, p.metal)


def _hull(
    rng: Random, b: Builder, colour: Colour, deck: Colour, length: float, beam: float, tall: float, bow: float
) -> None:
    """Adds a solid hull: flared sides, a pointed bow in one or two steps, a cut or tapered stern."""
    keel = rng.uniform(0.4, 0.85)
    body = length - bow
    stern = rng.choice((0.0, body * rng.uniform(0.15, 0.35)))
    main = body - stern
    middle = -length / 2 + stern + main / 2
    b.box((0, tall / 2, middle), (beam, tall, main), colour, along="-y", taper=(keel, 1.0))
    if rng.chance(0.5):
        half = bow / 2
        b.box((0, tall / 2, length / 2 - bow + half / 2), (beam, tall, half), colour, along="z", taper=(0.72, 1.0))
        b.box(
            (0, tall * 0.55, length / 2 - half / 2),
            (beam * 0.72, tall * 0.95, half),
            colour,
            along="z",
            taper=(0.05, 1.0),
            lean=(0.0, tall * rng.uniform(0.0, 0.3)),
        )
    else:
        b.box(
            (0, tall * 0.55, length / 2 - bow / 2),
            (beam, tall * 0.9, bow),
            colour,
            along="z",
            taper=(0.06, rng.uniform(0.5, 1.0)),
            lean=(0.0, tall * rng.uniform(0.0, 0.3)),
        )
    if stern:
        b.box(
            (0, tall / 2, -length / 2 + stern / 2),
            (beam, tall, stern),
            colour,
            along="-z",
            taper=(rng.uniform(0.4, 0.8), 0.85),
            lean=(0.0, tall * 0.08),
        )
    b.box((0, tall, middle), (beam * 0.94, tall * 0.08, main * 0.98), deck)
    if rng.chance(0.5):
        b.box((0, tall * 0.85, middle), (beam * 1.02, tall * 0.12, main), deck)


def _open_hull(rng: Random, b: Builder, p: Palette, length: float, beam: float, tall: float, bow: float) -> None:
    """Adds the shell of an open boat: a floor, sides that flare and close at the bow, a transom."""
    body = length - bow
    z = -length / 2 + body / 2
    thick, flare = beam * 0.07, beam * rng.uniform(0.05, 0.15)
    narrow = rng.uniform(0.5, 0.9) if rng.chance(0.5) else 1.0
    b.box((0, thick / 2, z), (beam * 0.75, thick * 1.5, body), p.second)
    b.box(
        (0, thick / 2, length / 2 - bow / 2),
        (beam * 0.75, thick * 1.5, bow),
        p.second,
        along="z",
        taper=(0.05, 1.0),
        lean=(0.0, tall * 0.3),
    )
    since = len(b)
    x = beam / 2 - flare
    b.box((x, tall / 2, z), (thick, tall, body), p.main, lean=(flare, 0.0))
    b.beam(
        (beam / 2 - flare / 2, tall * 0.52, length / 2 - bow), (0.0, tall * 0.7, length / 2), thick, p.main, depth=tall
    )
    b.mirror(since)
    b.box((0, tall * 0.5, -length / 2), (beam * 0.95 * narrow, tall, thick), p.main)


def _sloop(rng: Random, b: Builder, p: Palette, beam: float, tall: float) -> None:
    """Adds one or two masts with triangular sails, a cabin, a keel at times."""
    mast, z = rng.uniform(0.7, 1.5), rng.uniform(0.0, 0.15)
    b.cylinder((0, tall + mast / 2, z), (0.025, mast, 0.025), p.metal)
    thick = rng.uniform(0.012, 0.03)
    foot = rng.uniform(0.3, 0.5)
    low = tall + mast * 0.1
    sail = rng.choice((p.glass, p.accent, (0.93, 0.92, 0.88)))
    swing = rng.uniform(-25.0, 25.0)
    since = len(b)
    # A triangle with its upright edge at the mast: a box tapered to nothing and leaned forward by half its foot.
    b.box((0, mast * 0.43, -foot / 2), (thick, mast * 0.82, foot), sail, taper=(1.0, 0.04), lean=(0.0, foot / 2))
    b.box((0, 0, -foot / 2), (0.025, 0.025, foot), p.metal)
    b.move(since, (0, low, z), [("y", swing)])
    if rng.chance(0.75):
        since = len(b)
        jib = 0.46 - z
        b.box((0, mast * 0.35, jib / 2), (thick, mast * 0.7, jib), sail, taper=(1.0, 0.04), lean=(0.0, -jib / 2))
        b.move(since, (0, low, z + 0.01), [("y", swing * 0.3)])
    if rng.chance(0.6):
        b.box((0, tall * 1.15, -0.02), (beam * 0.55, tall * 0.5, rng.uniform(0.2, 0.4)), p.second, taper=0.85)
    if rng.chance(0.35):
        b.box((0, -tall * 0.4, 0), (0.03, tall * 0.9, 0.2), p.second, along="-y", taper=(1.0, 0.6))


def _square_rigged(rng: Random, b: Builder, p: Palette, beam: float, tall: float) -> None:
    """Adds two or three masts with square sails, castles fore and aft, a bowsprit."""
    masts = rng.choice((1, 2, 3))
    top = rng.uniform(0.5, 0.95)
    sail = rng.choice((p.glass, p.accent, (0.9, 0.87, 0.8)))
    for index in range(masts):
        z = (index - (masts - 1) / 2) * 0.27 + 0.02
        mast = top * (1.0 if index == masts // 2 else 0.85)
        b.cylinder((0, tall + mast / 2, z), (0.03, mast, 0.03), p.second)
        rows = rng.choice((1, 2, 3))
        for row in range(rows):
            wide = beam * rng.uniform(1.2, 2.0) * (1 - 0.18 * row)
            each = mast * 0.78 / rows
            y = tall + mast * 0.15 + each * (row + 0.5)
            b.box((0, y, z + 0.025), (wide, each * 0.85, 0.03), sail, taper=(0.85, 1.0))
            b.box((0, y + each * 0.43, z + 0.015), (wide, 0.02, 0.02), p.second)
    aft = tall * rng.uniform(0.4, 1.1)
    b.box((0, tall + aft / 2, -0.38), (beam * 0.9, aft, 0.22), p.main, along="-y", taper=(0.9, 0.9))
    if rng.chance(0.6):
        b.box((0, tall * 1.2, 0.27), (beam * 0.6, tall * 0.4, 0.16), p.main)
    b.beam((0, tall, 0.4), (0, tall * rng.uniform(1.3, 2.2), 0.68), 0.025, p.second, round_=True)


def _freighter(rng: Random, b: Builder, p: Palette, beam: float, tall: float) -> None:
    """Adds a bridge aft or amidships and cargo, or a warship's turrets."""
    z = rng.choice((-0.35, -0.05, -0.3))
    rise = beam * rng.uniform(0.6, 1.2)
    b.box((0, tall + rise / 2, z), (beam * 0.85, rise, 0.13), p.second)
    b.box((0, tall + rise * 0.85, z + 0.02), (beam * 0.95, rise * 0.2, 0.11), p.glass)
    b.cylinder((0, tall + rise * 1.1, z - 0.03), (beam * 0.25, rise * 0.7, beam * 0.3), p.accent)
    if rng.chance(0.6):
        colours = (p.main, p.accent, p.second, p.metal)
        for index in range(rng.integers(2, 6)):
            at = -0.2 + 0.11 * index
            if abs(at - z) < 0.12:
                continue
            size = rise * rng.uniform(0.2, 0.8)
            b.box((0, tall + size / 2, at), (beam * 0.8, size, 0.095), rng.choice(colours))
    else:
        for at in (0.12, 0.26, -0.18)[: rng.integers(1, 4)]:
            b.box((0, tall + rise * 0.15, at), (beam * 0.45, rise * 0.3, 0.1), p.metal)
            b.beam((0, tall + rise * 0.2, at), (0, tall + rise * 0.25, at + (0.13 if at > 0 else -0.13)), 0.025, p.dark)
        b.beam((0, tall + rise, z), (0, tall + rise * 2, z), 0.025, p.metal)
