"""Procedural objects, rendered when asked for."""

from __future__ import annotations

from jc3d.data.categories import CATEGORIES
from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample, Split
from jc3d.data.sources.registry import register_source
from jc3d.errors import renamed_arguments

_SEEDS_OF_SPLIT: dict[Split, range] = {
    "train": range(0, 10**9),
    "val": range(10**9, 10**9 + 2_000),
    "test": range(2 * 10**9, 2 * 10**9 + 2_000),
}
"""Procedural seeds; disjoint, so no test object is ever trained on."""


@register_source("procedural", takes_folder=False)
class ProceduralSource:
    """Objects of :mod:`jc3d.data.procedural`, rendered when asked for; index i is seed ``seeds[i]``.

    In training every second sample on average is of an augmented object, the others are of the object itself, which is
    what validation and test show.
    """

    def __init__(self, split: Split, augmented: bool | None = None) -> None:
        self.seeds = _SEEDS_OF_SPLIT[split]
        self.augmented = split == "train" if augmented is None else augmented

    def __len__(self) -> int:
        return len(self.seeds)

    @renamed_arguments(seed="draw")
    def get(self, index: int, seed: int, views: int) -> ObjectSample:
        """Draws cameras, light and (in training) augmentation from ``seed``."""
        from jc3d.data.camera_protocol import sample_cameras
        from jc3d.data.procedural import augment, make_object, occupancy, render
        from jc3d.data.shading import sample_light
        from jc3d.geometry.cameras import camera_rows

        rng = Random(self.seeds[index], seed)
        shape = make_object(self.seeds[index])
        if self.augmented and rng.split(4).chance(0.5):
            shape = augment(shape, rng.split(1))
        cameras = sample_cameras(rng.split(2), views)
        images = render([shape], [cameras], [sample_light(rng.split(3))])
        poses = camera_rows(cameras, shape.diagonal)
        return ObjectSample.of(images[0], occupancy(shape), CATEGORIES.index(shape.category), False, poses)
