"""Rifles and other firearms."""

from __future__ import annotations

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.palette import Palette


def rifle(rng: Random, b: Builder, p: Palette) -> None:
    """A hunting, assault, sniper or compact rifle, shotgun, musket, pistol, revolver or science-fiction gun.

    The muzzle points to +X, as 3D-R2N2's mostly lie across the view.
    """
    style = rng.choice(
        ("hunting", "assault", "sniper", "shotgun", "compact", "pistol", "scifi"),
        (0.2, 0.27, 0.19, 0.12, 0.1, 0.06, 0.06),
    )
    if style == "pistol":
        _pistol(rng, b, p)
        return
    thick = rng.uniform(0.028, 0.06) if style != "scifi" else rng.uniform(0.05, 0.1)
    body = {"compact": rng.uniform(0.35, 0.5), "scifi": rng.uniform(0.35, 0.5)}.get(style, rng.uniform(0.2, 0.32))
    tall = thick * rng.uniform(1.2, 2.0) if style != "compact" else thick * rng.uniform(1.8, 3.0)
    barrel = {"sniper": rng.uniform(0.4, 0.6), "compact": rng.uniform(0.06, 0.2)}.get(style, rng.uniform(0.3, 0.5))
    bore = thick * rng.uniform(0.3, 0.6)
    wood = rng.choice((p.main, p.second))
    gun = rng.choice((p.dark, p.metal, p.main))
    slab_thick = thick * rng.uniform(0.8, 1.1)
    b.box((0, 0, 0), (body, tall, thick), gun)
    front = body / 2
    round_ = rng.chance(0.75)
    y = tall * rng.uniform(0.1, 0.35)
    if round_:
        b.cylinder((front + barrel / 2, y, 0), (barrel, bore, bore), p.metal, along="x")
    else:
        b.box((front + barrel / 2, y, 0), (barrel, bore, bore), p.metal)
    muzzle = front + barrel
    if rng.chance(0.5):
        size = bore * rng.uniform(1.3, 2.2)
        reach = rng.uniform(0.03, 0.16)
        b.cylinder((muzzle - reach * 0.3, y, 0), (reach, size, size), gun, along="x")
    if rng.chance(0.5):
        b.box((muzzle - 0.03, y + bore, 0), (0.02, bore * 1.6, bore * 0.6), gun)
    guard = barrel * rng.uniform(0.3, 0.8)
    if rng.chance(0.85):  # fore-end
        size = tall * rng.uniform(0.6, 0.95)
        drop = rng.uniform(0.1, 0.5) * size if style in ("hunting", "shotgun", "sniper") else 0.0
        b.box(
            (front + guard / 2, y - drop * 0.6, 0),
            (guard, size, thick * 0.95),
            wood,
            along="x",
            taper=(rng.uniform(0.6, 1.0), 0.9),
        )
    if style == "shotgun" or rng.chance(0.1):
        b.cylinder((front + barrel * 0.4, y - bore * 1.2, 0), (barrel * 0.8, bore, bore), p.metal, along="x")
        if rng.chance(0.5):
            b.box((front + barrel * 0.45, y - bore * 1.2, 0), (barrel * 0.3, bore * 1.8, thick), wood)
    # Stock and grip.
    rear = -body / 2
    stock = rng.uniform(0.2, 0.34) if style != "compact" else rng.uniform(0.0, 0.15)
    butt = tall * rng.uniform(1.3, 2.4)
    kind = rng.choice(("solid", "frame", "thumbhole"), (0.65, 0.2, 0.15) if style != "hunting" else (1.0, 0.0, 0.0))
    if stock > 0.05:
        fall = tall * rng.uniform(0.2, 0.9)
        if kind == "solid":
            b.box(
                (rear - stock / 2, 0, 0),
                (stock, tall * rng.uniform(0.5, 0.9), slab_thick),
                wood,
                along="-x",
                taper=(butt / tall / 0.7, 1.0),
                lean=(-fall, 0.0),
            )
        else:
            b.box((rear - stock / 2, tall * 0.2, 0), (stock, tall * 0.3, thick * 0.7), wood)
            b.box((rear - stock, -butt * 0.2, 0), (0.035, butt, slab_thick), wood)
            if kind == "thumbhole":
                b.beam((rear, -tall * 0.4, 0), (rear - stock, -butt * 0.6, 0), thick * 0.7, wood)
        if rng.chance(0.4):
            b.box((rear - stock, -fall * (kind == "solid"), 0), (0.02, butt * 0.95, slab_thick), p.dark)
    if style in ("assault", "compact", "scifi") or rng.chance(0.35):
        grip = tall * rng.uniform(1.2, 2.2)
        x = rear + body * rng.uniform(0.05, 0.35)
        b.box(
            (x, -tall / 2 - grip / 2, 0),
            (0.055, grip, slab_thick),
            wood,
            along="-y",
            lean=(-grip * rng.uniform(0.1, 0.5), 0.0),
        )
    x = rear + body * 0.4
    b.box((x, -tall * 0.75, 0), (0.07, 0.012, thick * 0.4), gun)  # trigger guard
    b.box((x + 0.035, -tall * 0.62, 0), (0.012, tall * 0.3, thick * 0.4), gun)
    if style in ("assault", "compact") or rng.chance(0.35):
        size, drop = rng.uniform(0.05, 0.1), tall * rng.uniform(1.2, 3.2)
        at = body * rng.uniform(0.05, 0.4)
        curve = rng.choice((0.0, rng.uniform(0.1, 0.5))) * drop
        half = drop / 2
        b.box(
            (at, -tall / 2 - half / 2, 0), (size, half, slab_thick * 0.8), p.dark, along="-y", lean=(curve * 0.3, 0.0)
        )
        b.box(
            (at + curve * 0.3, -tall / 2 - half * 1.5, 0),
            (size, half, slab_thick * 0.8),
            p.dark,
            along="-y",
            lean=(curve * 0.7, 0.0),
        )
    if style == "sniper" or rng.chance(0.25):
        lens, reach = thick * rng.uniform(0.7, 1.2), rng.uniform(0.14, 0.3)
        high = tall / 2 + lens * rng.uniform(0.7, 1.0)
        at = rng.uniform(-0.1, 0.1)
        b.cylinder((at, high, 0), (reach, lens * 0.7, lens * 0.7), gun, along="x")
        for sx in (-1, 1):
            b.cylinder((at + sx * reach * 0.42, high, 0), (reach * 0.25, lens, lens), gun, along="x")
            b.box((at + sx * reach * 0.2, tall / 2 + lens * 0.2, 0), (0.02, lens, thick * 0.4), gun)
    elif style in ("assault", "compact") and rng.chance(0.6):
        if rng.chance(0.5):
            b.box((0, tall / 2 + thick * 0.25, 0), (body * 0.9, thick * 0.4, thick * 0.5), p.dark)
        else:
            for at in (-0.35, 0.35):
                b.box((at * body, tall / 2 + thick, 0), (0.02, thick * 2, thick * 0.4), gun)
            b.box((0, tall / 2 + thick * 1.9, 0), (body * 0.75, thick * 0.4, thick * 0.4), gun)
    if style == "sniper" and rng.chance(0.5):
        for sz in (-1, 1):
            b.beam((front + guard * 0.8, y, 0), (front + guard * 0.9, y - tall * 2.5, sz * 0.07), 0.015, p.metal)
    if style == "scifi":
        for index in range(rng.integers(1, 4)):
            b.box((front + barrel * (0.2 + 0.25 * index), y, 0), (0.03, tall * 1.1, thick * 1.1), p.accent)
        b.box((0, tall * 0.7, 0), (body * 0.6, tall * 0.6, thick * 0.7), p.second)


def _pistol(rng: Random, b: Builder, p: Palette) -> None:
    thick, tall = rng.uniform(0.08, 0.14), rng.uniform(0.14, 0.22)
    grip = rng.uniform(0.35, 0.5)
    b.box(
        (-0.32, -grip / 2, 0),
        (0.2, grip, thick),
        p.second,
        along="-y",
        taper=(1.1, 1.0),
        lean=(-grip * rng.uniform(0.1, 0.5), 0.0),
    )
    b.box((-0.08, -0.13, 0), (0.22, 0.03, thick * 0.4), p.dark)
    b.box((0.02, -0.06, 0), (0.03, 0.14, thick * 0.4), p.dark)
    if rng.chance(0.5):
        b.box((0, tall * 0.3, 0), (0.86, tall, thick), p.main)
        b.cylinder((0.45, tall * 0.4, 0), (rng.uniform(0.05, 0.3), tall * 0.4, tall * 0.4), p.metal, along="x")
    else:
        b.box((-0.2, tall * 0.2, 0), (0.4, tall * 1.1, thick), p.main)
        b.cylinder((-0.1, tall * 0.2, 0), (0.24, tall * 1.15, tall * 1.15), p.metal, along="x")
        reach = rng.uniform(0.35, 0.7)
        b.cylinder((reach / 2, tall * 0.4, 0), (reach, tall * 0.45, tall * 0.45), p.main, along="x")
        b.box((-0.42, tall * 0.6, 0), (0.06, tall * 0.5, thick * 0.4), p.metal, lean=(-0.04, 0.0))
