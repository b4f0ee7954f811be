"""Chairs and stools, armchairs and couches, benches."""

from __future__ import annotations

import math

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder, Colour
from jc3d.data.procedural.families.common import FINISHES, disc_or_box, feet, four_legs, pedestal, slab, star_base
from jc3d.data.procedural.palette import Palette


def chair(rng: Random, b: Builder, p: Palette) -> None:
    """A dining, office, cantilever, solid, lounge or rocking chair, an armchair, or a stool."""
    style = rng.choice(
        ("dining", "office", "armchair", "stool", "cantilever", "solid", "rocker", "lounge", "tub"),
        (0.36, 0.14, 0.15, 0.13, 0.05, 0.05, 0.04, 0.04, 0.04),
    )
    if style == "armchair":
        _upholstered(rng, b, p, rng.uniform(0.7, 1.1), 1)
    elif style == "stool":
        _stool(rng, b, p)
    elif style == "lounge":
        _lounge(rng, b, p)
    elif style == "tub":
        _tub(rng, b, p)
    else:
        _upright(rng, b, p, style)


def sofa(rng: Random, b: Builder, p: Palette) -> None:
    """A couch of two to four seats, a chesterfield, a corner couch, a chaise longue, or an ottoman set."""
    seats = rng.choice((1, 2, 3, 4), (0.1, 0.4, 0.4, 0.1))
    _upholstered(rng, b, p, rng.uniform(0.55, 0.8) * seats + 0.35, seats, corner=rng.chance(0.18))


def bench(rng: Random, b: Builder, p: Palette) -> None:
    """A park, hall, picnic, stone or padded bench, with and without back and arms."""
    style = rng.choice(("park", "plain", "stone", "pew", "padded", "picnic"), (0.32, 0.22, 0.12, 0.12, 0.14, 0.08))
    width, depth, height = rng.uniform(0.8, 2.0), rng.uniform(0.32, 0.6), rng.uniform(0.38, 0.5)
    top = rng.uniform(0.03, 0.1)
    if style == "stone":
        thick = rng.uniform(0.08, 0.16)
        slab(b, rng.choice(FINISHES), (0, height - thick / 2, 0), (width, thick, depth), p.main)
        inset = rng.uniform(0.5, 0.95) * width / 2
        for sx in (-1, 1):
            x = sx * (inset - 0.08)
            b.box((x, (height - thick) / 2, 0), (rng.uniform(0.1, 0.2), height - thick, depth * 0.85), p.second)
        return
    if style == "pew":
        b.box((0, height - top / 2, 0), (width, top, depth), p.main)
        rise = rng.uniform(0.3, 0.55)
        b.box((0, height + rise / 2, -depth / 2), (width, rise, top), p.main, lean=(0.0, -rng.uniform(0.0, 0.15)))
        side = rng.uniform(0.0, 0.25)
        for sx in (-1, 1):
            b.box((sx * width / 2, (height + side) / 2, 0), (top, height + side, depth), p.second)
            if rng.chance(0.5):
                b.box((sx * width / 2, (height + rise) / 2, -depth * 0.45), (top, height + rise, depth * 0.2), p.second)
        if rng.chance(0.4):
            b.box((0, height / 2, -depth * 0.4), (width, height, top), p.main)
        return
    if style == "picnic":
        rise = rng.uniform(0.68, 0.8)
        deck = rng.uniform(0.5, 0.8)
        b.box((0, rise, 0), (width, top, deck), p.main)
        for sz in (-1, 1):
            b.box((0, height, sz * (deck / 2 + 0.28)), (width, top, 0.26), p.main)
        for sx in (-1, 1):
            x = sx * width * 0.36
            b.box((x, height - top, 0), (0.06, 0.08, deck + 0.75), p.second)
            for sz in (-1, 1):
                b.beam((x, rise, sz * deck * 0.3), (x, 0, sz * (deck / 2 + 0.25)), 0.07, p.second)
        return
    _plank_seat(rng, b, p.main, width, depth, height, top)
    frame = rng.choice((p.metal, p.second, p.main))
    legs = rng.choice(("four", "panels", "u", "cross"), (0.45, 0.25, 0.2, 0.1))
    thick = rng.uniform(0.04, 0.1)
    reach = width * rng.uniform(0.75, 1.0)
    if legs == "four":
        four_legs(b, rng, reach, depth, height - top, frame, thick)
    else:
        for sx in (-1, 1):
            x = sx * (reach / 2 - thick / 2)
            if legs == "panels":
                b.box((x, (height - top) / 2, 0), (thick, height - top, depth * 0.9), frame)
            elif legs == "u":
                for sz in (-1, 1):
                    b.box((x, (height - top) / 2, sz * depth * 0.4), (thick, height - top, thick), frame)
                b.box((x, thick / 2, 0), (thick, thick, depth * 0.9), frame)
            else:
                for sz in (-1, 1):
                    b.beam((x, height - top, sz * depth * 0.42), (x, 0, -sz * depth * 0.42), thick, frame)
    if style == "padded":
        slab(b, rng.choice(FINISHES), (0, height + 0.04, 0), (width * 0.97, 0.1, depth * 0.95), p.accent)
    if style == "park" or rng.chance(0.25):
        rise, tilt = rng.uniform(0.3, 0.6), rng.uniform(0.0, 0.18)
        start = len(b)
        _back(rng, b, p, width, rise, rng.uniform(0.03, 0.07))
        b.move(start, (0, height, -depth / 2), [("x", -math.degrees(tilt))])
        for sx in (-1, 1):
            x = sx * (reach / 2 - thick / 2)
            b.beam((x, height - top, -depth / 2), (x, height + rise, -depth / 2 - rise * tilt), thick, frame)
    if rng.chance(0.5):
        level = height + rng.uniform(0.16, 0.26)
        for sx in (-1, 1):
            x = sx * (width / 2 - thick / 2)
            b.box((x, level, 0), (thick * 1.3, thick * 0.8, depth), frame)
            b.box((x, (level + height) / 2, depth * 0.4), (thick, level - height, thick), frame)


def _plank_seat(
    rng: Random, b: Builder, colour: Colour, width: float, depth: float, height: float, thick: float
) -> None:
    """Adds a seat or top of one board, or of two to five planks."""
    planks = rng.choice((1, 2, 3, 4, 5), (0.5, 0.1, 0.2, 0.1, 0.1))
    step = depth / planks
    for index in range(planks):
        z = (index + 0.5) * step - depth / 2
        b.box((0, height - thick / 2, z), (width, thick, step * (0.85 if planks > 1 else 1.0)), colour)


def _upright(rng: Random, b: Builder, p: Palette, style: str) -> None:
    """Adds a chair to sit upright in: seat, back, a base by style, arms at times."""
    width, depth = rng.uniform(0.38, 0.6), rng.uniform(0.36, 0.58)
    if rng.chance(0.4):
        depth = width
    height = rng.uniform(0.38, 0.52)
    thick = rng.uniform(0.03, 0.1) if style != "office" else rng.uniform(0.05, 0.12)
    frame = p.main if rng.chance(0.5) else rng.choice((p.second, p.metal))
    round_seat = rng.chance(0.15)
    chunky = rng.chance(0.25)
    leg = rng.uniform(0.08, 0.14) if chunky else rng.uniform(0.03, 0.075)
    if round_seat:
        b.cylinder((0, height - thick / 2, 0), (width, thick, depth), p.main)
    else:
        slab(b, rng.choice(FINISHES), (0, height - thick / 2, 0), (width, thick, depth), p.main)
    if rng.chance(0.3):
        pad = rng.uniform(0.03, 0.07)
        slab(b, rng.choice(FINISHES), (0, height + pad / 2, 0.01), (width * 0.9, pad, depth * 0.88), p.accent)
    below = height - thick
    if style == "office":
        star_base(b, rng, max(width, depth) * rng.uniform(0.48, 0.62), below, p.metal, p.dark)
    elif style == "cantilever":
        for sx in (-1, 1):
            x = sx * (width / 2 - leg / 2)
            b.chain(
                [(x, below, -depth / 2), (x, below, depth / 2), (x, leg / 2, depth / 2), (x, leg / 2, -depth / 2)],
                leg,
                frame,
                round_=True,
            )
        b.box((0, leg / 2, -depth / 2), (width, leg, leg), frame)
    elif style == "solid":
        if rng.chance(0.5):
            b.box((0, below / 2, 0), (width, below, depth), p.second, along="-y", taper=rng.uniform(0.7, 1.0))
        else:
            for sx in (-1, 1):
                b.box((sx * (width / 2 - leg / 2), below / 2, 0), (leg, below, depth), p.second)
    elif rng.chance(0.1):
        pedestal(b, rng, min(width, depth) * rng.uniform(0.4, 0.55), below, frame)
    else:
        lift = 0.06 if style == "rocker" else 0.0
        start = len(b)
        four_legs(b, rng, width, depth, below - lift, frame, leg)
        b.move(start, (0, lift, 0))
    if style == "rocker":
        for sx in (-1, 1):
            x = sx * (width / 2 - leg / 2)
            points = [(x, 0.04 + 0.35 * (z * z), z) for z in (-0.75 * depth, -0.4 * depth, 0.4 * depth, 0.75 * depth)]
            b.chain(points, leg, frame)
    rise = rng.uniform(0.32, 0.62) if style != "solid" else rng.uniform(0.25, 0.7)
    tilt = rng.uniform(0.0, 0.2)
    gap = rng.uniform(0.05, 0.15) if style == "office" or rng.chance(0.25) else 0.0
    start = len(b)
    back = rng.uniform(0.07, 0.13) if chunky else rng.uniform(0.025, 0.08)
    _back(rng, b, p, width * rng.uniform(0.85, 1.0), rise, back)
    b.move(start, (0, height - thick / 2 + gap, -depth / 2 + back / 2), [("x", -math.degrees(tilt))])
    if gap:
        for side in (0.0,) if style == "office" else (-0.8, 0.8):
            x = side * width / 2
            b.beam((x, height - thick, -depth / 2 + back), (x, height + gap + 0.06, -depth / 2), leg, frame)
    if rng.chance(0.3 if style != "office" else 0.55):
        _arms(rng, b, frame, p.accent, width, depth, height)


def _back(rng: Random, b: Builder, p: Palette, width: float, rise: float, thick: float) -> None:
    """Adds an upright back standing on y = 0 in the plane z = 0: solid, slatted, laddered, framed or rounded."""
    style = rng.choice(("solid", "slats", "ladder", "frame", "split", "round"), (0.36, 0.16, 0.16, 0.12, 0.12, 0.08))
    colour = p.main if rng.chance(0.6) else p.second
    post = rng.uniform(0.025, 0.06)
    if style == "solid":
        if rng.chance(0.5):
            taper = (rng.uniform(0.7, 1.1), 1.0) if rng.chance(0.4) else 1.0
            b.box((0, rise / 2, 0), (width, rise, thick), colour, taper=taper)
        else:
            b.bevel((0, rise / 2, 0), (width, rise, thick), colour, cut=rng.uniform(0.15, 0.5))
        return
    if style == "round":
        b.cylinder((0, rise * 0.55, 0), (width, rise * 0.9, thick), colour, along="z")
        b.box((0, rise * 0.3, 0), (width * 0.6, rise * 0.6, thick), colour)
        return
    for sx in (-1, 1):
        b.box((sx * (width - post) / 2, rise / 2, 0), (post, rise, max(post, thick)), colour)
    inner = width - 2 * post
    if style == "slats":
        b.box((0, rise - post, 0), (inner, post * 2, thick), colour)
        count = rng.integers(2, 6)
        for index in range(count):
            x = ((index + 0.5) / count - 0.5) * inner
            b.box((x, rise / 2, 0), (inner / count * rng.uniform(0.3, 0.6), rise, thick * 0.7), p.second)
    elif style == "ladder":
        count = rng.integers(2, 5)
        for index in range(count):
            y = rise * (1.0 - index / count) - rise / count * 0.25
            b.box((0, y, 0), (inner, rise / count * rng.uniform(0.35, 0.7), thick * 0.8), p.second)
    elif style == "frame":
        b.box((0, rise * 0.55, 0), (inner, rise * 0.8, thick * 0.6), p.accent)
        b.box((0, rise - post / 2, 0), (inner, post, thick), colour)
    else:
        part = rng.uniform(0.3, 0.55)
        b.box((0, rise * (1 - part / 2), 0), (inner, rise * part, thick), p.second)


def _arms(rng: Random, b: Builder, frame: Colour, pad: Colour, width: float, depth: float, height: float) -> None:
    """Adds a pair of arm rests beside a seat."""
    level, thick = height + rng.uniform(0.15, 0.26), rng.uniform(0.03, 0.06)
    reach = depth * rng.uniform(0.65, 0.95)
    spread = width / 2 + rng.uniform(-0.2, 1.0) * thick
    for sx in (-1, 1):
        x = sx * spread
        b.box((x, level, -depth / 2 + reach / 2), (thick * 1.4, thick, reach), pad)
        b.beam((x, level, -depth / 2 + reach * 0.85), (x, height - 0.06, depth * 0.3), thick, frame)
        if rng.chance(0.6):
            b.beam((x, level, -depth * 0.45), (x, height - 0.06, -depth * 0.4), thick, frame)


def _stool(rng: Random, b: Builder, p: Palette) -> None:
    """Adds a seat without a back: low, bar height, pouffe or step."""
    height, width = rng.uniform(0.3, 0.85), rng.uniform(0.28, 0.55)
    depth = width if rng.chance(0.7) else width * rng.uniform(0.6, 1.0)
    thick = rng.uniform(0.03, 0.12)
    round_ = rng.chance(0.55)
    if rng.chance(0.08):  # a pouffe: all cushion
        height = width * rng.uniform(0.5, 0.9)
        disc_or_box(b, round_, (0, height / 2, 0), (width, height, depth), p.main)
        disc_or_box(b, round_, (0, height, 0), (width * 0.95, height * 0.2, depth * 0.95), p.accent)
        return
    disc_or_box(b, round_, (0, height - thick / 2, 0), (width, thick, depth), p.main, taper=rng.uniform(0.9, 1.0))
    if rng.chance(0.35):
        slab_height = rng.uniform(0.03, 0.08)
        disc_or_box(b, round_, (0, height, 0), (width * 0.95, slab_height, depth * 0.95), p.accent, taper=0.9)
    base = rng.choice(("legs", "pedestal", "three", "star"), (0.5, 0.2, 0.2, 0.1))
    frame = rng.choice((p.main, p.second, p.metal))
    if base == "legs":
        inner = 0.75 if round_ else 1.0
        four_legs(b, rng, width * inner, depth * inner, height - thick, frame, rng.uniform(0.03, 0.07))
    elif base == "pedestal":
        pedestal(b, rng, width * rng.uniform(0.35, 0.5), height - thick, frame)
    elif base == "star":
        star_base(b, rng, width * 0.55, height - thick, frame, p.dark)
    else:
        spread = width * rng.uniform(0.35, 0.55)
        leg = rng.uniform(0.03, 0.06)
        for index in range(3):
            angle = 2 * math.pi * index / 3
            top = (spread * 0.6 * math.sin(angle), height - thick, spread * 0.6 * math.cos(angle))
            b.beam(top, (spread * math.sin(angle), 0, spread * math.cos(angle)), leg, frame, round_=True)


def _lounge(rng: Random, b: Builder, p: Palette) -> None:
    """Adds a low chair with long, tilted seat and back, on a frame or with a foot rest."""
    width, depth = rng.uniform(0.55, 0.75), rng.uniform(0.55, 0.8)
    thick, low, high = rng.uniform(0.06, 0.14), rng.uniform(0.2, 0.3), rng.uniform(0.34, 0.45)
    rise, run = rng.uniform(0.5, 0.75), rng.uniform(0.15, 0.4)
    finish = rng.choice(FINISHES)
    b.beam((0, high, depth / 2), (0, low, -depth / 2), width, p.main, depth=thick)
    b.beam((0, low, -depth / 2), (0, low + rise, -depth / 2 - run), width, p.main, depth=thick)
    if rng.chance(0.4):
        b.beam((0, high, depth / 2), (0, high * 0.7, depth * 1.1), width, p.main, depth=thick)
    if rng.chance(0.5):
        slab(b, finish, (0, low + rise, -depth / 2 - run * 0.9), (width * 0.7, 0.14, 0.12), p.accent)
    leg = rng.uniform(0.03, 0.07)
    for sx in (-1, 1):
        x = sx * width / 2
        b.beam((x, high, depth * 0.4), (x, 0, depth * 0.45), leg, p.second)
        b.beam((x, low + rise * 0.3, -depth * 0.55), (x, 0, -depth * 0.6), leg, p.second)
        if rng.chance(0.8):
            level = high + rng.uniform(0.1, 0.2)
            b.beam((x, level, depth * 0.5), (x, level - 0.06, -depth * 0.6), leg * 1.4, p.second)
            b.beam((x, level, depth * 0.4), (x, 0, depth * 0.45), leg, p.second)


def _tub(rng: Random, b: Builder, p: Palette) -> None:
    """Adds a tub or egg chair: a ring of back segments about a round seat."""
    radius, height = rng.uniform(0.3, 0.42), rng.uniform(0.32, 0.42)
    rise, thick = rng.uniform(0.25, 0.5), rng.uniform(0.05, 0.12)
    segments = rng.choice((5, 7, 9))
    spread = rng.uniform(150.0, 230.0)
    b.cylinder((0, height * 0.7, 0), (radius * 1.9, height * 0.5, radius * 1.9), p.main)
    b.cylinder((0, height, 0), (radius * 1.6, height * 0.2, radius * 1.6), p.accent)
    for index in range(segments):
        angle = (index / (segments - 1) - 0.5) * spread
        tall = rise * (1.0 - 0.4 * abs(angle) / (spread / 2)) + height * 0.5
        start = len(b)
        b.box(
            (0, height * 0.5 + tall / 2, -radius), (radius * 2.4 * spread / 360 * 3.0 / segments, tall, thick), p.main
        )
        b.move(start, turn=[("y", angle)])
    if rng.chance(0.5):
        pedestal(b, rng, radius * 0.8, height * 0.5, p.metal)
    else:
        four_legs(b, rng, radius * 1.3, radius * 1.3, height * 0.5, p.second, rng.uniform(0.04, 0.07))


def _upholstered(rng: Random, b: Builder, p: Palette, width: float, seats: int, corner: bool = False) -> None:
    """Adds a couch or armchair: base, seat cushions, back, arms, feet, pillows."""
    depth = rng.uniform(0.7, 1.0)
    foot = rng.choice((0.0, rng.uniform(0.04, 0.18)))
    seat = rng.uniform(0.32, 0.46)
    total = seat + rng.uniform(0.25, 0.5)
    back = rng.uniform(0.12, 0.3)
    arm = rng.uniform(0.08, 0.26)
    finish = rng.choice(FINISHES)
    arms = rng.choice((2, 1, 0), (0.8, 0.06, 0.14))
    inner = width - 2 * arm if arms else width
    body = p.main
    cushion = p.main if rng.chance(0.4) else p.accent
    pad = rng.uniform(0.08, 0.2)
    base = max(seat - pad - foot, 0.05)
    b.box((0, foot + base / 2, 0), (width if rng.chance(0.5) else inner, base, depth), body)
    slab(
        b,
        finish,
        (0, foot + (total - foot) / 2, -depth / 2 + back / 2),
        (width if rng.chance(0.4) else inner, total - foot, back),
        body,
    )
    split = seats if rng.chance(0.7) else 1
    each = inner / split
    reach = depth - back
    for index in range(split):
        x = (index + 0.5) * each - inner / 2
        slab(b, finish, (x, seat - pad / 2, back / 2), (each * 0.97, pad, reach), cushion)
        if rng.chance(0.55):
            tall = (total - seat) * rng.uniform(0.75, 1.15)
            start = len(b)
            slab(b, rng.choice(FINISHES), (0, tall / 2, 0), (each * 0.94, tall, pad), cushion)
            b.move(start, (x, seat, -depth / 2 + back + pad * 0.4), [("x", -rng.uniform(0.0, 18.0))])
    if arms:
        level = seat + rng.uniform(0.05, 0.28)
        roll = rng.chance(0.3)
        for sx in (-1, 1)[:arms]:
            x = sx * (width - arm) / 2
            slab(b, finish, (x, foot + (level - foot) / 2, 0), (arm, level - foot, depth), body)
            if roll:
                b.cylinder((x, level, 0), (arm * 1.25, arm * 1.25, depth), body, along="z")
    if corner:
        out = rng.uniform(0.4, 0.9)
        side = rng.choice((-1, 1))
        share = max(each, inner * 0.3) if seats > 1 else inner * 0.5
        x = side * (width - share) / 2
        b.box((x, foot + base / 2, depth / 2 + out / 2), (share, base, out), body)
        slab(b, finish, (x, seat - pad / 2, depth / 2 + out / 2), (share * 0.97, pad, out), cushion)
    if foot:
        feet(b, rng, width, depth, foot, rng.choice((p.metal, p.second, p.dark)))
    if rng.chance(0.3):
        for sx in (-1, 1):
            size = rng.uniform(0.28, 0.4)
            b.bevel(
                (sx * (inner / 2 - size * 0.5), seat + size * 0.42, -depth / 2 + back + 0.16),
                (size, size, 0.12),
                p.second,
                cut=0.5,
                turn=[("x", -20.0), ("z", sx * rng.uniform(-20.0, 20.0))],
            )
