"""The thirteen families of 3D-R2N2's categories: one function each, ``(rng, builder, palette)``, drawing one object."""

from __future__ import annotations

from collections.abc import Callable

from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.families.aircraft import airplane
from jc3d.data.procedural.families.boats import watercraft
from jc3d.data.procedural.families.cars import car
from jc3d.data.procedural.families.electronics import display, speaker, telephone
from jc3d.data.procedural.families.lamps import lamp
from jc3d.data.procedural.families.rifles import rifle
from jc3d.data.procedural.families.seating import bench, chair, sofa
from jc3d.data.procedural.families.storage import cabinet
from jc3d.data.procedural.families.tables import table
from jc3d.data.procedural.palette import Palette

FAMILIES: dict[str, Callable[[Random, Builder, Palette], None]] = {
    family.__name__: family
    for family in (
        airplane, bench, cabinet, car, chair, display, lamp, speaker, rifle, sofa, table, telephone, watercraft,
    )
}  # fmt: skip
"""Family of each category, in 3D-R2N2's order."""
