"""Colours for objects: a few roles drawn together, from one-tone to many-coloured."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Colour


@dataclass(frozen=True)
class Palette:
    """The colours of one object, RGB in [0, 1].

    Attributes:
        main: most of the object.
        second: its other large parts; may equal ``main``.
        accent: trims, cushions, handles.
        dark: tyres, screens, grips.
        metal: legs, poles, barrels.
        glass: windows and lamp shades.
    """

    main: Colour
    second: Colour
    accent: Colour
    dark: Colour
    metal: Colour
    glass: Colour


def sample_palette(rng: Random) -> Palette:
    """Draws a palette: all roles of one colour at times, two-tone often, else each of its own material."""
    main = _material(rng)
    scheme = rng.choice(("one", "shades", "two", "many"), (0.1, 0.2, 0.4, 0.3))
    if scheme == "one":
        return Palette(main, main, main, _scaled(main, rng.uniform(0.5, 1.0)), main, main)
    if scheme == "shades":
        shades = [_scaled(main, rng.uniform(0.5, 1.35)) for _ in range(3)]
        return Palette(main, shades[0], shades[1], _dark(rng), shades[2], _glass(rng))
    second = _material(rng)
    accent = rng.choice((second, main)) if scheme == "two" else _material(rng)
    metal = second if scheme == "two" and rng.chance(0.5) else _metal(rng)
    return Palette(main, second, accent, _dark(rng), metal, _glass(rng))


def recoloured(colour: Colour, rng: Random) -> Colour:
    """Gives another colour of about the same lightness."""
    lightness = max(colour) * rng.uniform(0.8, 1.25)
    return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.9), min(1.0, lightness))


def _material(rng: Random) -> Colour:
    kind = rng.choice(
        ("wood", "white", "grey", "black", "saturated", "muted", "pastel"), (0.26, 0.12, 0.12, 0.07, 0.18, 0.17, 0.08)
    )
    if kind == "wood":
        return colorsys.hsv_to_rgb(rng.uniform(0.04, 0.11), rng.uniform(0.3, 0.75), rng.uniform(0.3, 0.9))
    if kind == "white":
        return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.08), rng.uniform(0.8, 0.97))
    if kind == "grey":
        return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.12), rng.uniform(0.3, 0.8))
    if kind == "black":
        return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.3), rng.uniform(0.06, 0.3))
    if kind == "saturated":
        return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.6, 1.0), rng.uniform(0.4, 1.0))
    if kind == "muted":
        return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.15, 0.5), rng.uniform(0.3, 0.85))
    return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.1, 0.35), rng.uniform(0.8, 0.97))


def _dark(rng: Random) -> Colour:
    return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.3), rng.uniform(0.05, 0.35))


def _metal(rng: Random) -> Colour:
    return colorsys.hsv_to_rgb(rng.uniform(0.5, 0.7), rng.uniform(0.0, 0.2), rng.uniform(0.25, 0.85))


def _glass(rng: Random) -> Colour:
    if rng.chance(0.6):
        return colorsys.hsv_to_rgb(rng.uniform(0.5, 0.65), rng.uniform(0.1, 0.6), rng.uniform(0.25, 0.95))
    return colorsys.hsv_to_rgb(rng.uniform(0.08, 0.17), rng.uniform(0.0, 0.5), rng.uniform(0.75, 0.98))


def _scaled(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(1.0, channel * factor) for channel in colour)
    return red, green, blue
