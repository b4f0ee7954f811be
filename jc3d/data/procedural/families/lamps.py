"""Lamps: table, floor, desk, hanging and street lights, lanterns, candelabra."""

from __future__ import annotations

import math

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.families.common import disc_or_box
from jc3d.data.procedural.palette import Palette


def lamp(rng: Random, b: Builder, p: Palette) -> None:
    """A table, floor, desk, arc, hanging, street or lantern lamp, or a spotlight."""
    style = rng.choice(
        ("shade", "street", "desk", "hanging", "lantern", "arc", "post", "spot", "bare"),
        (0.33, 0.24, 0.08, 0.09, 0.08, 0.05, 0.06, 0.04, 0.03),
    )
    {
        "shade": _shaded,
        "street": _street,
        "desk": _desk,
        "hanging": _hanging,
        "lantern": _lantern_lamp,
        "arc": _arc,
        "post": _post,
        "spot": _spot,
        "bare": _bare,
    }[style](rng, b, p)


def _shade(rng: Random, b: Builder, p: Palette, low: float, width: float, height: float) -> None:
    """Adds a lamp shade standing on y = low: cone, drum, square, ball or dome."""
    kind = rng.choice(("cone", "drum", "square", "ball", "dome", "bell"), (0.3, 0.2, 0.24, 0.12, 0.06, 0.08))
    if kind == "ball":
        b.ellipsoid((0, low + height / 2, 0), (width, height, width), p.glass)
    elif kind == "dome":
        b.ellipsoid((0, low + height * 0.3, 0), (width, height * 1.4, width), p.glass)
        b.cylinder((0, low + height * 0.1, 0), (width, height * 0.2, width), p.glass)
    elif kind == "bell":
        b.cylinder((0, low + height * 0.3, 0), (width, height * 0.6, width), p.glass, taper=0.6)
        b.cylinder((0, low + height * 0.8, 0), (width * 0.6, height * 0.4, width * 0.6), p.glass, taper=0.5)
    else:
        taper = 1.0 if kind == "drum" else rng.uniform(0.4, 1.0)
        disc_or_box(b, kind != "square", (0, low + height / 2, 0), (width, height, width), p.glass, taper=taper)


def _shaded(rng: Random, b: Builder, p: Palette) -> None:
    floor = rng.chance(0.5)
    height = rng.uniform(1.0, 1.8) if floor else rng.uniform(0.35, 0.7)
    width = rng.uniform(0.22, 0.5) if floor else rng.uniform(0.22, 0.45)
    top = rng.uniform(0.18, 0.4) if floor else height * rng.uniform(0.35, 0.6)
    base = width * rng.uniform(0.5, 1.0)
    stem = rng.uniform(0.02, 0.05)
    low = height - top
    square = rng.chance(0.35)
    foot = rng.choice(("disc", "tripod", "body", "cone"), (0.5, 0.14, 0.22, 0.14) if floor else (0.4, 0.04, 0.4, 0.16))
    if foot == "tripod":
        for index in range(3):
            angle = 2 * math.pi * (index + 0.5) / 3
            x, z = base * 0.8 * math.sin(angle), base * 0.8 * math.cos(angle)
            b.beam((0, low * rng.uniform(0.6, 1.0), 0), (x, 0, z), stem, p.main, round_=True)
    elif foot == "disc":
        rise = rng.uniform(0.02, 0.06)
        disc_or_box(b, not square, (0, rise / 2, 0), (base, rise, base), p.main, taper=rng.uniform(0.8, 1.0))
    elif foot == "cone":
        rise = low * rng.uniform(0.2, 0.7)
        disc_or_box(b, not square, (0, rise / 2, 0), (base, rise, base), p.main, taper=rng.uniform(0.1, 0.4))
    else:  # a vase: one to three bulges up the stem
        bulges = rng.integers(1, 4)
        for index in range(bulges):
            tall = low * 0.85 / bulges
            size = base * rng.uniform(0.5, 1.0)
            centre = (0.0, tall * (index + 0.5), 0.0)
            if rng.chance(0.5):
                b.ellipsoid(centre, (size, tall * 1.05, size), p.main)
            else:
                disc_or_box(b, not square, centre, (size, tall, size), p.second, taper=rng.uniform(0.5, 1.4))
    disc_or_box(b, not square, (0, low / 2 + top * 0.1, 0), (stem, low + top * 0.2, stem), p.metal)
    _shade(rng, b, p, low, width, top)
    if rng.chance(0.1):
        b.ellipsoid((0, height + 0.02, 0), (0.05, 0.05, 0.05), p.metal)


def _bare(rng: Random, b: Builder, p: Palette) -> None:
    """A shade alone, as a lamp on a ceiling or a wall."""
    _shade(rng, b, p, 0.0, 1.0, rng.uniform(0.35, 1.1))
    if rng.chance(0.5):
        b.box((0, -0.03, 0), (rng.uniform(0.3, 1.0), 0.06, rng.uniform(0.3, 1.0)), p.metal)


def _street(rng: Random, b: Builder, p: Palette) -> None:
    """A tall pole with one, two or four arms, square or curved."""
    height, pole = rng.uniform(2.6, 4.0), rng.uniform(0.08, 0.16)
    arms = rng.choice((1, 2, 4), (0.55, 0.3, 0.15))
    reach = height * rng.uniform(0.16, 0.42)
    curved, round_ = rng.chance(0.45), rng.chance(0.5)
    head = (pole * rng.uniform(1.2, 2.2), pole * rng.uniform(0.5, 1.0), reach * rng.uniform(0.35, 0.6))
    disc_or_box(
        b,
        round_,
        (0, pole * 0.8, 0),
        (pole * rng.uniform(1.3, 3.0), pole * 1.6, pole * rng.uniform(1.3, 3.0)),
        p.main,
        taper=0.8,
    )
    stem = height * (0.85 if curved else 1.0)
    disc_or_box(b, round_, (0, stem / 2, 0), (pole, stem, pole), p.main, taper=rng.uniform(0.6, 1.0))
    thin = pole * rng.uniform(0.6, 0.9)
    droop = rng.uniform(-0.05, 0.1) * height
    lamp_kind = rng.choice(("slab", "ball", "cone"), (0.7, 0.15, 0.15))
    bulb = rng.uniform(2.0, 3.5) * pole
    for arm in range(arms):
        start = len(b)
        if curved:
            rise = height - stem
            steps = 4
            points = [
                (0.0, stem + rise * math.sin(math.pi / 2 * i / steps), reach * (1 - math.cos(math.pi / 2 * i / steps)))
                for i in range(steps + 1)
            ]
            b.chain(points, thin, p.main, round_=round_)
        else:
            b.beam((0, stem - thin / 2 - max(droop, 0.0), 0), (0, height - thin / 2, reach), thin, p.main)
        if lamp_kind == "slab":
            b.box((0, height - thin / 2, reach), head, p.second)
            b.box((0, height - thin / 2 - head[1] * 0.5, reach), (head[0] * 0.8, head[1] * 0.4, head[2] * 0.8), p.glass)
        elif lamp_kind == "ball":
            b.ellipsoid((0, height - bulb / 2, reach), (bulb, bulb, bulb), p.glass)
        else:
            b.cylinder((0, height - bulb / 2, reach), (bulb, bulb * 0.7, bulb), p.second, taper=0.3)
        b.move(start, turn=[("y", arm * 360.0 / arms)])


def _desk(rng: Random, b: Builder, p: Palette) -> None:
    """A jointed desk lamp: foot, two arms, a conical head."""
    base, first, second = rng.uniform(0.16, 0.26), rng.uniform(0.2, 0.36), rng.uniform(0.16, 0.32)
    bar = rng.uniform(0.015, 0.035)
    lean, bend = rng.uniform(-0.5, 0.2), rng.uniform(0.3, 1.2)
    disc_or_box(b, rng.chance(0.7), (0, 0.02, 0), (base, 0.04, base), p.main)
    elbow = (0.0, 0.04 + first * math.cos(lean), first * math.sin(lean))
    head = (0.0, elbow[1] + second * math.cos(bend), elbow[2] + second * math.sin(bend))
    b.chain([(0, 0.03, 0), elbow, head], bar, p.metal, round_=True)
    b.ellipsoid(elbow, (bar * 2, bar * 2, bar * 2), p.second)
    size, length = rng.uniform(0.12, 0.2), rng.uniform(0.1, 0.18)
    start = len(b)
    b.cylinder((0, -length / 2, 0), (size, length, size), p.second, taper=rng.uniform(0.3, 0.6))
    b.cylinder((0, -length * 0.98, 0), (size * 0.8, length * 0.1, size * 0.8), p.glass)
    b.move(start, (0, head[1] + length * 0.2, head[2]), [("x", -rng.uniform(0.0, 50.0))])


def _hanging(rng: Random, b: Builder, p: Palette) -> None:
    """A ceiling lamp: rose, cord and shade, or a chandelier."""
    cord, width, height = rng.uniform(0.1, 0.9), rng.uniform(0.3, 0.6), rng.uniform(0.15, 0.4)
    disc_or_box(b, rng.chance(0.6), (0, height + cord, 0), (width * 0.35, 0.04, width * 0.35), p.metal)
    b.cylinder((0, height + cord / 2, 0), (0.025, cord, 0.025), p.metal)
    if rng.chance(0.7):
        _shade(rng, b, p, 0.0, width, height)
        return
    arms = rng.choice((4, 5, 6))
    b.ellipsoid((0, height * 0.4, 0), (width * 0.25, height * 0.6, width * 0.25), p.main)
    for arm in range(arms):
        angle = 2 * math.pi * arm / arms
        x, z = width * 0.7 * math.sin(angle), width * 0.7 * math.cos(angle)
        b.chain(
            [(0, height * 0.4, 0), (x * 0.6, height * 0.1, z * 0.6), (x, height * 0.45, z)], 0.03, p.main, round_=True
        )
        b.cylinder((x, height * 0.65, z), (width * 0.22, height * 0.5, width * 0.22), p.glass, along="-y", taper=0.6)


def _lantern(rng: Random, b: Builder, p: Palette, low: float, width: float, height: float) -> None:
    """Adds a lantern standing on y = low: frame, glass, roof."""
    round_ = rng.chance(0.25)
    disc_or_box(b, round_, (0, low + height * 0.06, 0), (width, height * 0.12, width), p.main)
    taper = rng.uniform(0.8, 1.3)
    disc_or_box(
        b, round_, (0, low + height * 0.4, 0), (width * 0.75, height * 0.62, width * 0.75), p.glass, taper=taper
    )
    if not round_:
        for sx in (-1, 1):
            for sz in (-1, 1):
                bar = width * 0.1
                b.beam(
                    (sx * width * 0.38, low, sz * width * 0.38),
                    (sx * width * 0.38 * taper, low + height * 0.72, sz * width * 0.38 * taper),
                    bar,
                    p.main,
                )
    disc_or_box(
        b,
        round_,
        (0, low + height * 0.84, 0),
        (width * 1.15, height * 0.28, width * 1.15),
        p.main,
        taper=rng.uniform(0.1, 0.5),
    )


def _lantern_lamp(rng: Random, b: Builder, p: Palette) -> None:
    """A lantern to carry or hang, with its ring."""
    width, height = rng.uniform(0.25, 0.5), rng.uniform(0.35, 0.7)
    _lantern(rng, b, p, 0.0, width, height)
    if rng.chance(0.7):
        ring, bar = width * rng.uniform(0.2, 0.4), width * 0.07
        points = [(ring * math.cos(a), height + ring * (0.6 + math.sin(a)), 0.0) for a in (-0.8, 0.4, 1.57, 2.74, 3.94)]
        b.chain(points, bar, p.metal, round_=True)


def _post(rng: Random, b: Builder, p: Palette) -> None:
    """A post with a lantern on top, or hanging from an arm."""
    height, post, size = rng.uniform(1.4, 2.6), rng.uniform(0.08, 0.2), rng.uniform(0.25, 0.45)
    b.box((0, post * 0.6, 0), (post * 2.2, post * 1.2, post * 2.2), p.second, taper=0.7)
    if rng.chance(0.5):
        b.box((0, height / 2, 0), (post, height, post), p.main)
        _lantern(rng, b, p, height, size, size * rng.uniform(1.1, 1.6))
        return
    reach = rng.uniform(0.4, 0.8)
    b.box((0, height / 2, 0), (post, height, post), p.main)
    b.box((0, height * 0.92, reach / 2), (post * 0.7, post * 0.7, reach), p.main)
    b.beam((0, height * 0.7, 0), (0, height * 0.9, reach * 0.6), post * 0.6, p.main)
    tall = size * 1.3
    start = len(b)
    _lantern(rng, b, p, 0.0, size, tall)
    b.move(start, (0, height * 0.88 - tall, reach))


def _arc(rng: Random, b: Builder, p: Palette) -> None:
    """A floor lamp that arches over."""
    height, reach, bar = rng.uniform(1.3, 1.9), rng.uniform(0.6, 1.2), rng.uniform(0.025, 0.05)
    disc_or_box(b, rng.chance(0.6), (0, 0.04, 0), (0.36, 0.08, 0.36), p.main)
    steps = 7
    arc = [math.pi * 0.85 * i / steps for i in range(steps + 1)]
    points = [
        (reach / 2 * (1 - math.cos(a)), height * (0.35 + 0.65 * math.sin(a) if i else 0.05), 0.0)
        for i, a in enumerate(arc)
    ]
    b.chain(points, bar, p.metal, round_=True)
    x, y, _ = points[-1]
    size = rng.uniform(0.25, 0.45)
    start = len(b)
    _shade(rng, b, p, -size * 0.6, size, size * rng.uniform(0.5, 0.8))
    b.move(start, (x, y, 0))


def _spot(rng: Random, b: Builder, p: Palette) -> None:
    """Floodlights on a mast, or a spotlight in a yoke."""
    height, mast = rng.uniform(0.5, 1.8), rng.uniform(0.04, 0.1)
    b.cylinder((0, height / 2, 0), (mast, height, mast), p.metal)
    if rng.chance(0.5):
        for index in range(3):
            angle = 2 * math.pi * index / 3
            b.beam(
                (0, height * 0.3, 0),
                (0.35 * height * math.sin(angle), 0, 0.35 * height * math.cos(angle)),
                mast * 0.8,
                p.metal,
            )
    else:
        b.cylinder((0, 0.03, 0), (0.4, 0.06, 0.4), p.main)
    heads = rng.choice((1, 2, 4))
    size = rng.uniform(0.18, 0.35)
    if heads > 1:
        b.box((0, height, 0), (size * heads * 0.6, mast, mast), p.metal)
    for index in range(heads):
        x = (index - (heads - 1) / 2) * size * 1.1
        tilt = [("x", rng.uniform(-10.0, 30.0))]
        if rng.chance(0.5):
            b.cylinder(
                (x, height + size * 0.4, 0),
                (size, size, size * 0.9),
                p.main,
                along="z",
                taper=rng.uniform(1.0, 1.4),
                turn=tilt,
            )
        else:
            b.box((x, height + size * 0.4, 0), (size, size * 0.8, size * 0.5), p.main, turn=tilt)
        b.cylinder((x, height + size * 0.4, size * 0.45), (size * 0.8, size * 0.7, 0.04), p.glass, along="z", turn=tilt)
