"""From a seed to an object."""

from __future__ import annotations

from jc3d.data.categories import CATEGORIES
from jc3d.data.counter_rng import Random
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.families import FAMILIES
from jc3d.data.procedural.palette import sample_palette
from jc3d.data.procedural.primitives import Shape

# Names of the streams of a seed; changing one changes what seeds mean.
_CATEGORY, _OBJECT = range(2)


def make_object(seed: int, category: str | None = None) -> Shape:
    """Draws one object; the same seed and category give the same object on every machine.

    Args:
        seed: any integer; train, validation and test take disjoint ranges.
        category: one of ``CATEGORIES``; None draws one from the seed, all equally likely.

    Returns:
        A normalised shape: upright, front +Z, bounding box centred on the origin, longest side 1.

    Raises:
        ValueError: the category is unknown.
    """
    rng = Random(seed)
    if category is None:
        category = rng.split(_CATEGORY).choice(CATEGORIES)
    if category not in FAMILIES:
        raise ValueError(f"category: expected one of {', '.join(CATEGORIES)}, got {category!r}")
    draw = rng.split(_OBJECT, CATEGORIES.index(category))
    builder = Builder()
    palette = sample_palette(draw)
    FAMILIES[category](draw, builder, palette)
    return builder.shape(category, seed)
