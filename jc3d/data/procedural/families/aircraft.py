"""Airplanes."""

from __future__ import annotations

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder, Colour
from jc3d.data.procedural.palette import Palette


def airplane(rng: Random, b: Builder, p: Palette) -> None:
    """An airliner, propeller plane, biplane, fighter, glider, flying wing or spacecraft; the nose points to +Z."""
    style = rng.choice(
        ("airliner", "prop", "biplane", "fighter", "glider", "wing", "space"), (0.26, 0.24, 0.1, 0.2, 0.07, 0.05, 0.08)
    )
    if style == "wing":
        _flying_wing(rng, b, p)
    elif style == "space":
        _space(rng, b, p)
    elif style == "fighter":
        _fighter(rng, b, p)
    else:
        _classic(rng, b, p, style)


def _wing_pair(
    b: Builder, root: tuple[float, float, float], span: float, chord: float, thick: float, colour: Colour,
    taper: float, sweep: float, rise: float,
) -> None:  # fmt: skip
    """Adds two wings from the root at x ≥ 0 outwards: ``sweep`` moves the tip back, ``rise`` up."""
    since = len(b)
    x, y, z = root
    # Along x: the section's other axes are y (thickness) and z (chord).
    b.box(
        (x + span / 2, y, z),
        (span, thick, chord),
        colour,
        along="x",
        taper=(max(taper, 0.4), taper),
        lean=(rise, -sweep),
    )
    b.mirror(since)


def _fuselage(rng: Random, b: Builder, p: Palette, length: float, width: float, tall: float) -> None:
    """Adds a body about the Z axis: a barrel with a rounded or pointed nose and a tail that tapers upwards."""
    square = rng.chance(0.35)
    nose, tail = length * rng.uniform(0.08, 0.22), length * rng.uniform(0.25, 0.45)
    barrel = length - nose - tail
    middle = length / 2 - nose - barrel / 2
    lift = tall * rng.uniform(0.1, 0.35)
    slim = rng.uniform(0.15, 0.45)
    if square:
        b.box((0, 0, middle), (width, tall, barrel), p.main)
        b.box(
            (0, 0, length / 2 - nose / 2),
            (width, tall, nose),
            p.second,
            along="z",
            taper=rng.uniform(0.3, 0.8),
            lean=(0.0, -tall * 0.1),
        )
        b.box((0, 0, -length / 2 + tail / 2), (width, tall, tail), p.main, along="-z", taper=slim, lean=(0.0, lift))
        return
    b.cylinder((0, 0, middle), (width, tall, barrel * 1.02), p.main, along="z")
    if rng.chance(0.6):
        b.ellipsoid((0, 0, length / 2 - nose), (width, tall, nose * 2), p.main)
    else:
        b.cylinder((0, 0, length / 2 - nose / 2), (width, tall, nose), p.second, along="z", taper=rng.uniform(0.2, 0.7))
    b.cylinder((0, 0, -length / 2 + tail / 2), (width, tall, tail), p.main, along="-z", taper=slim, lean=(0.0, lift))


def _tail(rng: Random, b: Builder, p: Palette, z: float, y: float, size: float) -> None:
    """Adds fin and tailplane at z."""
    fin, chord, thick = size * rng.uniform(0.7, 1.2), size * rng.uniform(0.55, 0.95), size * rng.uniform(0.06, 0.12)
    colour = rng.choice((p.second, p.main, p.accent))
    b.box(
        (0, y + fin / 2, z),
        (thick, fin, chord),
        colour,
        taper=(0.7, rng.uniform(0.45, 0.9)),
        lean=(0.0, -chord * rng.uniform(0.1, 0.7)),
    )
    high = y + fin * (0.92 if rng.chance(0.2) else rng.uniform(0.0, 0.2))
    _wing_pair(
        b,
        (0.0, high, z - (chord * 0.3 if high > y + fin / 2 else 0.0)),
        size * rng.uniform(0.8, 1.4),
        chord * rng.uniform(0.6, 0.9),
        thick,
        colour,
        rng.uniform(0.45, 0.95),
        chord * rng.uniform(0.0, 0.5),
        0.0,
    )


def _propeller(rng: Random, b: Builder, p: Palette, x: float, y: float, z: float, size: float) -> None:
    """Adds a spinner and blades, or the disc of a turning propeller."""
    b.ellipsoid((x, y, z), (size * 0.2, size * 0.2, size * 0.35), p.accent)
    if rng.chance(0.12):
        b.cylinder((x, y, z), (size, size, size * 0.03), p.metal, along="z")
        return
    angle = rng.uniform(0.0, 180.0)
    for index in range(rng.choice((1, 1, 2))):
        b.box((x, y, z), (size * 0.12, size, size * 0.05), p.dark, turn=[("z", angle + 90.0 * index)])


def _classic(rng: Random, b: Builder, p: Palette, style: str) -> None:
    length = 1.0
    chubby = {"airliner": rng.uniform(0.09, 0.2), "glider": rng.uniform(0.07, 0.11)}.get(style, rng.uniform(0.12, 0.24))
    width, tall = chubby, chubby * rng.uniform(0.9, 1.25)
    _fuselage(rng, b, p, length, width, tall)
    span = {"glider": rng.uniform(0.6, 0.9), "airliner": rng.uniform(0.38, 0.6)}.get(style, rng.uniform(0.4, 0.68))
    chord = {"glider": rng.uniform(0.09, 0.14), "airliner": rng.uniform(0.16, 0.32)}.get(style, rng.uniform(0.15, 0.3))
    sweep = rng.uniform(0.08, 0.35) if style == "airliner" else rng.choice((0.0, rng.uniform(0.0, 0.08)))
    taper = rng.uniform(0.25, 0.6) if style == "airliner" else rng.uniform(0.5, 1.0)
    thick = chord * rng.uniform(0.1, 0.2)
    place = rng.choice((-0.35, 0.0, 0.42)) * tall
    z = rng.uniform(0.0, 0.16) + sweep * 0.3
    rise = rng.uniform(0.0, 0.08) * span
    _wing_pair(b, (0.0, place, z), span, chord, thick, rng.choice((p.main, p.second)), taper, sweep, rise)
    if style == "biplane":
        gap = tall * rng.uniform(0.8, 1.2)
        _wing_pair(b, (0.0, place + gap, z), span, chord, thick, p.second, taper, sweep, rise)
        since = len(b)
        for at in (0.2, 0.75):
            x = span * at
            b.beam((x, place, z), (x, place + gap + rise * at, z), 0.015, p.metal)
        b.mirror(since)
    _tail(rng, b, p, -length * 0.43, tall * 0.2, rng.uniform(0.14, 0.24))
    engines = rng.choice((1, 2)) if style == "airliner" else rng.choice((0, 1), (0.75, 0.25))
    if style == "airliner" or (style == "prop" and engines):
        since = len(b)
        size, reach = chord * rng.uniform(0.24, 0.4), chord * rng.uniform(0.5, 0.9)
        for index in range(engines):
            at = (0.33, 0.62)[index] if engines > 1 else rng.uniform(0.28, 0.45)
            x, pz = width / 2 + (span - width / 2) * at, z - sweep * at + chord * 0.35
            y = place - size * 0.55 + rise * at if style == "airliner" else place
            b.cylinder(
                (x, y, pz), (size, size, reach), rng.choice((p.metal, p.second)), along="z", taper=rng.uniform(0.8, 1.1)
            )
            if style == "prop":
                _propeller(rng.split(index), b, p, x, y, pz + reach / 2, size * 2.6)
        b.mirror(since)
    elif style in ("prop", "biplane"):
        _propeller(rng, b, p, 0.0, 0.0, length / 2 + 0.01, rng.uniform(0.25, 0.38))
        if rng.chance(0.6):
            b.cylinder((0, 0, length / 2 - 0.05), (width * 1.08, tall * 1.05, 0.08), p.accent, along="z")
    if style == "airliner":
        if rng.chance(0.6):
            b.box((0, tall * 0.12, 0.02), (width * 1.01, tall * 0.12, length * 0.6), p.glass)
        b.box((0, tall * 0.2, length * 0.42), (width * 0.7, tall * 0.22, 0.06), p.glass)
    else:
        cockpit = rng.uniform(0.12, 0.24)
        b.ellipsoid((0, tall * 0.42, rng.uniform(0.05, 0.2)), (width * 0.75, tall * 0.7, cockpit), p.glass)
    if style != "airliner" and rng.chance(0.6):  # landing gear
        drop, size = tall * rng.uniform(0.35, 0.6), rng.uniform(0.05, 0.09)
        since = len(b)
        x, low = width * rng.uniform(0.5, 1.0), -tall / 2 - drop
        b.beam((width * 0.2, -tall * 0.3, z), (x, low, z), 0.02, p.metal)
        b.cylinder((x, low, z), (size * 0.4, size, size), p.dark, along="x")
        b.mirror(since)


def _fighter(rng: Random, b: Builder, p: Palette) -> None:
    """A jet: pointed nose, delta or swept wings, one or two fins, intakes, maybe canards and missiles."""
    length, width = 1.0, rng.uniform(0.09, 0.16)
    tall = width * rng.uniform(0.7, 1.1)
    nose = rng.uniform(0.2, 0.35)
    rear = length - nose
    b.box((0, 0, -nose / 2), (width * 1.2, tall, rear), p.main, along="z", taper=(rng.uniform(0.6, 0.9), 0.9))
    b.cylinder(
        (0, 0, length / 2 - nose / 2),
        (width * 0.85, tall * 0.9, nose),
        p.second,
        along="z",
        taper=rng.uniform(0.02, 0.3),
    )
    b.ellipsoid((0, tall * 0.45, length * 0.18), (width * 0.6, tall * 0.7, 0.26), p.glass)
    if rng.chance(0.6):
        since = len(b)
        b.box((width * 0.75, -tall * 0.05, -0.06), (width * 0.5, tall * 0.75, 0.45), p.main, along="-z", taper=0.9)
        b.mirror(since)
    chord, span = rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.5)
    thick = rng.uniform(0.015, 0.035)
    taper, sweep = rng.uniform(0.1, 0.5), chord * rng.uniform(0.1, 0.7)
    _wing_pair(
        b,
        (width * 0.4, rng.uniform(-0.3, 0.3) * tall, -0.12),
        span,
        chord,
        thick,
        p.main,
        taper,
        sweep,
        rng.uniform(-0.05, 0.05),
    )
    fins = rng.choice((1, 2))
    fin = rng.uniform(0.13, 0.22)
    since = len(b)
    x = width * 0.5 if fins == 2 else 0.0
    b.box(
        (x, tall * 0.4 + fin / 2, -0.38),
        (0.02, fin, 0.2),
        p.second,
        taper=(0.8, rng.uniform(0.3, 0.7)),
        lean=(rng.uniform(0.0, 0.08) if fins == 2 else 0.0, -0.08),
    )
    if fins == 2:
        b.mirror(since)
    if rng.chance(0.75):
        _wing_pair(b, (width * 0.4, 0.0, -0.42), rng.uniform(0.1, 0.2), 0.14, thick, p.main, 0.5, 0.08, 0.0)
    if rng.chance(0.2):
        _wing_pair(b, (width * 0.4, tall * 0.2, 0.2), 0.12, 0.1, thick, p.second, 0.4, 0.06, 0.0)
    for sx in (-1, 1) if rng.chance(0.4) else (0,):
        b.cylinder((sx * width * 0.35, 0, -0.52), (width * 0.65, tall * 0.75, 0.08), p.dark, along="-z", taper=0.8)
    if rng.chance(0.4):
        since = len(b)
        x = span * rng.uniform(0.5, 1.0) + width * 0.4
        b.cylinder((x, -0.03, -0.12 - sweep * 0.6), (0.03, 0.03, rng.uniform(0.15, 0.3)), p.accent, along="z")
        b.mirror(since)


def _flying_wing(rng: Random, b: Builder, p: Palette) -> None:
    chord, span = rng.uniform(0.35, 0.6), rng.uniform(0.5, 0.8)
    b.ellipsoid((0, 0.02, 0), (rng.uniform(0.15, 0.3), rng.uniform(0.1, 0.18), chord * 1.4), p.second)
    _wing_pair(
        b, (0.0, 0.0, 0.0), span, chord, chord * 0.14, p.main, rng.uniform(0.2, 0.5), rng.uniform(0.15, 0.45), 0.02
    )
    if rng.chance(0.6):
        since = len(b)
        x = span * rng.uniform(0.3, 0.95)
        b.box((x, 0.07, -chord * 0.5), (0.015, 0.12, 0.12), p.accent, lean=(0.0, -0.05))
        b.mirror(since)
    if rng.chance(0.4):
        _propeller(rng, b, p, 0.0, 0.02, -chord * 0.75, 0.2)


def _space(rng: Random, b: Builder, p: Palette) -> None:
    """A low-poly spacecraft: wedge or pod, stub wings, engines."""
    length, width = 1.0, rng.uniform(0.2, 0.4)
    tall = width * rng.uniform(0.5, 0.9)
    if rng.chance(0.5):
        b.box((0, 0, 0), (width, tall, length), p.main, along="z", taper=(rng.uniform(0.2, 0.6), rng.uniform(0.3, 0.7)))
    else:
        b.ellipsoid((0, 0, 0.1), (width, tall, length * 0.8), p.main)
        b.box((0, 0, -0.2), (width * 0.9, tall * 0.8, 0.5), p.second, along="-z", taper=0.8)
    b.ellipsoid((0, tall * 0.3, 0.12), (width * 0.5, tall * 0.7, 0.3), p.glass)
    _wing_pair(
        b,
        (width * 0.3, -tall * 0.1, -0.15),
        rng.uniform(0.2, 0.5),
        rng.uniform(0.2, 0.5),
        rng.uniform(0.03, 0.07),
        p.second,
        rng.uniform(0.3, 0.9),
        rng.uniform(-0.2, 0.3),
        rng.uniform(-0.2, 0.2),
    )
    since = len(b)
    size = rng.uniform(0.1, 0.2)
    x = rng.choice((width * 0.3, width * 0.7, width + 0.1))
    b.cylinder((x, 0, -0.35), (size, size, rng.uniform(0.25, 0.5)), p.metal, along="-z", taper=rng.uniform(0.8, 1.2))
    if rng.chance(0.5):
        b.box((x, size * 0.5 + 0.07, -0.35), (0.03, 0.16, 0.2), p.accent, taper=(1.0, 0.5), lean=(0.0, -0.08))
    b.mirror(since)
