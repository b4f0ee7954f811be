"""Procedural objects: thirteen families drawn from seeds, their views by ray casting, their voxels exactly.

>>> from jc3d.data import procedural
>>> shape = procedural.make_object(7, "chair")
>>> procedural.occupancy(shape).shape
(32, 32, 32)
"""

from jc3d.data.categories import CATEGORIES
from jc3d.data.procedural.augment import augment
from jc3d.data.procedural.generate import make_object
from jc3d.data.procedural.occupancy import occupancy
from jc3d.data.procedural.primitives import Kind, Shape
from jc3d.data.procedural.raycast import Hits, cast, render

__all__ = [
    "CATEGORIES",
    "Hits",
    "Kind",
    "Shape",
    "augment",
    "cast",
    "make_object",
    "occupancy",
    "render",
]
