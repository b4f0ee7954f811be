"""Cars: everything on wheels that 3D-R2N2's category holds, and the toy-like shapes of low-poly games."""

from __future__ import annotations

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.families.common import wheel
from jc3d.data.procedural.palette import Palette


def car(rng: Random, b: Builder, p: Palette) -> None:
    """A sedan, hatchback, estate, van, SUV, pickup, sports car, truck, bus, racing car or buggy; +Z is forward."""
    style = rng.choice(
        ("sedan", "hatch", "estate", "van", "suv", "pickup", "sports", "truck", "bus", "racer", "jeep", "roadster"),
        (0.2, 0.13, 0.08, 0.08, 0.1, 0.08, 0.08, 0.08, 0.03, 0.08, 0.03, 0.03),
    )
    if style == "truck":
        _truck(rng, b, p)
    elif style in ("van", "bus"):
        _van(rng, b, p, style == "bus")
    elif style == "racer":
        _racer(rng, b, p)
    else:
        _saloon(rng, b, p, style)


def _wheels(
    rng: Random, b: Builder, p: Palette, width: float, radius: float, axles: tuple[float, ...], proud: float = 0.0
) -> None:
    """Adds a pair of wheels at each axle (z), flush with the body's sides or proud of them."""
    thick = radius * rng.uniform(0.4, 0.8)
    hub = rng.choice((p.metal, p.dark, p.second))
    for z in axles:
        for sx in (-1, 1):
            wheel(b, (sx * (width / 2 - thick / 2 + proud), radius, z), radius, thick, p.dark, hub)


def _saloon(rng: Random, b: Builder, p: Palette, style: str) -> None:
    toy = rng.uniform(0.0, 1.0) ** 1.3  # from real proportions to a toy's: short, tall, big wheels
    length = rng.uniform(3.9, 5.0) * (1.0 - 0.28 * toy)
    width = rng.uniform(1.65, 2.0)
    height = {"sports": rng.uniform(1.1, 1.3), "suv": rng.uniform(1.6, 1.95), "jeep": rng.uniform(1.6, 1.9)}.get(
        style, rng.uniform(1.35, 1.6)
    ) * (1.0 + 0.22 * toy)
    radius = rng.uniform(0.29, 0.36) * (1.0 + 0.3 * toy) * (1.15 if style in ("suv", "jeep") else 1.0)
    under = radius * rng.uniform(0.45, 1.0)
    belt = under + (height - under) * rng.uniform(0.45, 0.62)
    body = belt - under
    front_end, rear_end = rng.uniform(0.0, 0.12), rng.uniform(0.0, 0.1)
    # The lower body: one block or block, bonnet and boot of their own heights.
    drop_front = body * rng.choice((0.0, rng.uniform(0.05, 0.4)))
    booted = style not in ("hatch", "estate", "suv", "jeep")
    drop_rear = body * rng.choice((0.0, rng.uniform(0.0, 0.25))) if booted else 0.0
    slim = rng.uniform(0.86, 1.0)
    lower = body * rng.uniform(0.45, 0.75)
    if rng.chance(0.3):
        b.bevel((0, under + body * 0.5, 0), (width, body, length), p.main, cut=rng.uniform(0.1, 0.4))
        drop_front = drop_rear = 0.0
    else:
        b.box((0, under + lower / 2, 0), (width, lower, length), p.main, along="-y", taper=(1.0, rng.uniform(0.9, 1.0)))
        upper = body - lower
        middle = under + lower
        taper = (slim, rng.uniform(0.9, 1.0))
        b.box((0, middle + upper / 2, 0), (width, upper, length * 0.5), p.main, taper=(slim, 1.0))
        for sign, drop, end in ((1, drop_front, front_end), (-1, drop_rear, rear_end)):
            tall = max(upper - drop, 0.02)
            reach = length * 0.3
            b.box(
                (0, middle + tall / 2, sign * (length / 2 - reach / 2)),
                (width, tall, reach),
                p.main,
                taper=taper,
                lean=(0.0, -sign * length * end * 0.3),
            )
    # The cabin: where it starts and ends, and how its screens slope, make the style.
    rear, front = {
        "sedan": (-0.36, 0.14),
        "hatch": (-0.47, 0.14),
        "estate": (-0.48, 0.16),
        "suv": (-0.47, 0.17),
        "jeep": (-0.46, 0.1),
        "pickup": (-0.12, 0.2),
        "sports": (-0.38, 0.1),
        "roadster": (-0.2, 0.06),
    }[style]
    rear += rng.uniform(-0.03, 0.04)
    front += rng.uniform(-0.05, 0.05)
    slope_front = rng.uniform(0.06, 0.2)
    slope_rear = {"sedan": 0.14, "sports": 0.2, "hatch": 0.07, "roadster": 0.0}.get(style, 0.03) * rng.uniform(0.4, 1.6)
    if style == "jeep":
        slope_front *= 0.2
    bottom = (front - rear) * length
    top = max(bottom - (slope_front + slope_rear) * length, 0.25 * bottom)
    lean = (slope_rear - slope_front) * length / 2
    centre = (front + rear) / 2 * length
    cabin_width = width * rng.uniform(0.82, 0.98)
    slim_top = rng.uniform(0.7, 0.95)
    rise = height - belt
    roof = rise * rng.uniform(0.08, 0.2)
    windows = rng.choice(("glasshouse", "panes", "none"), (0.5, 0.4, 0.1))
    body_colour = rng.choice((p.main, p.second), (0.75, 0.25))
    if style == "roadster":
        screen = rise * 0.6
        b.box((0, belt + screen / 2, front * length), (cabin_width, screen, 0.06), p.glass, lean=(0.0, -0.25))
        for sx in (-1, 1):
            b.box((sx * width * 0.2, belt + 0.12, centre), (width * 0.25, 0.4, 0.2), p.accent)
    else:
        cabin = p.glass if windows == "glasshouse" else body_colour
        b.box(
            (0, belt + rise / 2, centre),
            (cabin_width, rise, bottom),
            cabin,
            taper=(slim_top, top / bottom),
            lean=(0.0, lean),
        )
        if windows == "glasshouse":
            b.box((0, height - roof / 2, centre + lean), (cabin_width * slim_top * 1.02, roof, top * 1.03), body_colour)
            for at in (-0.45, 0.02, 0.45) if rng.chance(0.7) else ():
                z, high = centre + at * bottom, centre + lean + at * top
                for sx in (-1, 1):
                    b.beam(
                        (sx * cabin_width * 0.5, belt, z),
                        (sx * cabin_width * slim_top * 0.5, height - roof, high),
                        length * 0.022,
                        body_colour,
                    )
        elif windows == "panes":
            pane = (slim_top, top / bottom)
            level, tall = belt + rise * 0.5, rise * 0.72
            for stretch in ((1.02, 0.86), (0.84, 1.015)):  # sides, then both screens
                b.box(
                    (0, level, centre + lean * 0.14),
                    (cabin_width * stretch[0], tall, bottom * stretch[1] * 0.99),
                    p.glass,
                    taper=pane,
                    lean=(0.0, lean * 0.72),
                )
    axles = (length * rng.uniform(-0.34, -0.26), length * rng.uniform(0.27, 0.34))
    _wheels(rng, b, p, width, radius, axles, proud=rng.choice((0.0, 0.02, rng.uniform(0.02, 0.16))))
    _trim(rng, b, p, width, length, under, body - max(drop_front, drop_rear))
    if style == "pickup":
        side = (height - belt) * rng.uniform(0.05, 0.35) + 0.05
        bed = (rear + 0.49) * length
        z = -0.49 * length + bed / 2
        for sx in (-1, 1):
            b.box((sx * width * 0.47, belt + side / 2, z), (width * 0.06, side, bed), p.main)
        b.box((0, belt + side / 2, -0.48 * length), (width, side, length * 0.03), p.main)
        if rng.chance(0.3):
            b.box((0, belt + side / 2, z), (width * 0.8, side * 1.4, bed * 0.6), p.accent)
    if style in ("sports", "roadster") and rng.chance(0.5):
        y = belt + rng.uniform(0.1, 0.3)
        b.box((0, y, -0.46 * length), (width * 0.95, 0.05, 0.22), p.second)
        for sx in (-1, 1):
            b.box((sx * width * 0.35, (y + belt) / 2 - 0.05, -0.46 * length), (0.06, y - belt + 0.1, 0.12), p.second)
    if style in ("sedan", "estate", "suv", "hatch") and rng.chance(0.2):  # police bar, taxi sign, roof rack or box
        size = (cabin_width * rng.uniform(0.3, 0.75), rise * rng.uniform(0.12, 0.4), rng.uniform(0.15, 0.4))
        if rng.chance(0.25):
            size = (cabin_width * 0.6, rise * 0.3, top * 0.8)
        b.box((0, height + size[1] / 2, centre + lean), size, p.accent)
    if style in ("suv", "jeep") and rng.chance(0.4):
        b.cylinder((0, under + body * 0.8, -length / 2 - 0.08), (radius * 1.8, radius * 1.8, 0.2), p.dark, along="z")


def _trim(rng: Random, b: Builder, p: Palette, width: float, length: float, under: float, body: float) -> None:
    """Adds lamps, bumpers and a grille."""
    if rng.chance(0.6):
        for sz in (-1, 1):
            y = under + body * rng.uniform(0.08, 0.25)
            b.box((0, y, sz * length / 2), (width * rng.uniform(0.9, 1.02), body * 0.22, 0.14), p.second)
    if rng.chance(0.7):
        size = body * rng.uniform(0.18, 0.32)
        for sx in (-1, 1):
            b.box((sx * width * 0.37, under + body * 0.62, length / 2), (width * 0.18, size, 0.05), (0.95, 0.93, 0.8))
            b.box((sx * width * 0.37, under + body * 0.62, -length / 2), (width * 0.18, size, 0.05), (0.75, 0.1, 0.08))
    if rng.chance(0.4):
        b.box((0, under + body * 0.5, length / 2), (width * 0.45, body * 0.3, 0.04), p.dark)
    if rng.chance(0.25):
        for sx in (-1, 1):
            b.box((sx * width * 0.53, under + body * 0.95, length * 0.14), (0.16, 0.1, 0.1), p.main)


def _van(rng: Random, b: Builder, p: Palette, bus: bool) -> None:
    length = rng.uniform(6.5, 10.0) if bus else rng.uniform(3.6, 5.6)
    width = 2.4 if bus else rng.uniform(1.7, 2.1)
    height = rng.uniform(2.6, 3.6) if bus else rng.uniform(1.8, 2.5)
    radius = rng.uniform(0.42, 0.55) if bus else rng.uniform(0.32, 0.45)
    under = radius * rng.uniform(0.4, 0.8)
    tall = height - under
    nose = 0.0 if bus or rng.chance(0.3) else length * rng.uniform(0.08, 0.2)
    slope = rng.uniform(0.0, 0.12) * length
    low = tall * rng.uniform(0.42, 0.55)
    b.box((0, under + low / 2, 0), (width, low, length), p.main)
    upper = length - nose
    b.box(
        (0, under + low + (tall - low) / 2, -nose / 2),
        (width, tall - low, upper),
        rng.choice((p.main, p.second)),
        taper=(rng.uniform(0.84, 1.0), (upper - slope) / upper),
        lean=(0.0, -slope / 2),
    )
    level, pane = under + low + (tall - low) * 0.4, (tall - low) * 0.5
    b.box((0, level, length / 2 - nose - slope * 0.45), (width * 0.86, pane, 0.08), p.glass, lean=(0.0, -slope * 0.45))
    count = rng.integers(4, 8) if bus else rng.integers(1, 4)
    for index in range(count):
        z = length * 0.5 - nose - slope - (index + 0.5) * (upper - slope) * 0.92 / count
        b.box((0, level, z), (width * 0.99, pane, (upper - slope) * 0.72 / count), p.glass)
    if rng.chance(0.5):
        b.box((0, under + low * rng.uniform(0.3, 0.9), 0), (width * 1.01, tall * 0.06, length * 1.005), p.accent)
    _wheels(rng, b, p, width, radius, (-length * 0.3, length * rng.uniform(0.28, 0.36)), proud=rng.choice((0.0, 0.04)))
    _trim(rng, b, p, width, length, under, low)
    if rng.chance(0.2):
        b.box((0, height + 0.1, 0), (width * 0.5, 0.2, length * rng.uniform(0.2, 0.7)), p.second)


def _truck(rng: Random, b: Builder, p: Palette) -> None:
    """A lorry: cab, and a box, tank, flat bed, tipper or nothing behind it."""
    toy = rng.uniform(0.0, 1.0)
    length = rng.uniform(5.0, 8.0) * (1.0 - 0.4 * toy)
    width, radius = rng.uniform(1.9, 2.4), rng.uniform(0.42, 0.55)
    under = radius * rng.uniform(0.8, 1.3)
    cab, cab_height = length * rng.uniform(0.22, 0.34), rng.uniform(1.5, 2.1)
    b.box((0, under, 0), (width * 0.6, 0.25, length), p.dark)
    hood = cab * 0.5 if rng.chance(0.35) else 0.0
    z = length / 2 - hood - (cab - hood) / 2
    b.box((0, under + cab_height / 2, z), (width, cab_height, cab - hood), p.main, taper=(0.92, rng.uniform(0.75, 1.0)))
    if hood:
        b.box((0, under + cab_height * 0.28, length / 2 - hood / 2), (width * 0.8, cab_height * 0.56, hood), p.main)
    front = length / 2 - hood
    b.box((0, under + cab_height * 0.7, front), (width * 0.84, cab_height * 0.32, 0.08), p.glass, lean=(0.0, -0.06))
    b.box((0, under + cab_height * 0.7, z), (width * 0.99, cab_height * 0.3, (cab - hood) * 0.5), p.glass)
    load = rng.choice(("box", "tank", "flat", "tipper", "stakes"), (0.4, 0.15, 0.15, 0.2, 0.1))
    reach = length - cab - 0.15
    middle = -length / 2 + reach / 2
    tall = cab_height * rng.uniform(0.8, 1.35)
    if load == "box":
        b.box((0, under + 0.12 + tall / 2, middle), (width * 1.04, tall, reach), p.second)
    elif load == "tank":
        b.cylinder((0, under + 0.15 + tall * 0.45, middle), (width * 0.95, tall * 0.9, reach), p.second, along="z")
    elif load == "tipper":
        side = tall * 0.55
        b.box((0, under + 0.12 + side / 2, middle), (width, side, reach), p.second, along="-y", taper=(0.75, 0.85))
    else:
        b.box((0, under + 0.2, middle), (width, 0.14, reach), p.second)
        if load == "stakes":
            for sx in (-1, 1):
                b.box((sx * width * 0.48, under + 0.5, middle), (0.08, 0.6, reach), p.accent)
            b.box((0, under + 0.5, -length / 2 + 0.05), (width, 0.6, 0.08), p.accent)
    rear = (-length * 0.38, -length * 0.22) if rng.chance(0.5) and toy < 0.6 else (-length * 0.32,)
    _wheels(rng, b, p, width, radius, (*rear, length * 0.33), proud=0.04)
    _trim(rng, b, p, width, length, under, cab_height * 0.5)


def _racer(rng: Random, b: Builder, p: Palette) -> None:
    """A single-seater or dragster with open wheels and wings, or a monster truck."""
    length, width = rng.uniform(3.2, 4.8), rng.uniform(1.7, 2.4)
    radius = rng.uniform(0.33, 0.6)
    under = radius * rng.uniform(0.3, 0.7)
    tall = rng.uniform(0.4, 0.7)
    if rng.chance(0.3):  # monster truck: a saloon's body, raised on huge wheels
        start = len(b)
        _saloon(rng, b, p, rng.choice(("pickup", "suv", "sedan")))
        radius = rng.uniform(0.7, 1.0)
        b.move(start, (0, radius * 0.75, 0))
        _wheels(rng, b, p, rng.uniform(2.3, 2.8), radius, (-1.3, 1.3))
        b.box((0, radius, 0), (1.6, 0.25, 2.9), p.dark)
        return
    waist = width * rng.uniform(0.35, 0.5)
    b.box(
        (0, under + tall / 2, -length * 0.1),
        (waist, tall, length * 0.7),
        p.main,
        along="z",
        taper=(rng.uniform(0.7, 1.0), 0.9),
    )
    b.box(
        (0, under + tall * 0.4, length * 0.36),
        (waist * 0.85, tall * 0.75, length * 0.28),
        p.main,
        along="z",
        taper=(rng.uniform(0.3, 0.8), 0.5),
    )
    if rng.chance(0.6):
        for sx in (-1, 1):
            b.box(
                (sx * width * 0.3, under + tall * 0.35, -length * 0.1),
                (width * 0.2, tall * 0.7, length * 0.35),
                p.second,
            )
    b.box(
        (0, under + tall + 0.1, -length * 0.18),
        (waist * 0.6, 0.4, length * 0.16),
        p.second,
        along="-z",
        taper=(0.8, 0.4),
    )
    b.ellipsoid((0, under + tall + 0.1, -length * 0.02), (0.32, 0.4, 0.32), p.accent)
    if rng.chance(0.65):
        rise = under + tall + rng.uniform(0.1, 0.5)
        b.box((0, rise, -length * 0.46), (width * 0.85, 0.06, 0.35), p.second)
        for sx in (-1, 1):
            b.box((sx * width * 0.4, rise - 0.1, -length * 0.46), (0.05, 0.4, 0.4), p.second)
        b.box((0, rise / 2 + under / 2, -length * 0.44), (0.15, rise - under, 0.2), p.main)
        b.box((0, under + 0.05, length * 0.47), (width * 0.85, 0.06, 0.3), p.second)
    for z, size in ((-length * 0.36, radius), (length * 0.33, radius * rng.uniform(0.65, 1.0))):
        thick = size * rng.uniform(0.6, 1.0)
        b.box((0, size, z), (width * 0.8, 0.08, 0.1), p.metal)
        for sx in (-1, 1):
            wheel(b, (sx * (width - thick) / 2, size, z), size, thick, p.dark, p.metal)
