"""What the numbers of an evaluation depend on besides the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

from jc3d.data.samples import Split
from jc3d.geometry.threshold import THRESHOLD
from jc3d.metrics.image_quality import MS_SSIM_MIN_SIDE


@dataclass(frozen=True)
class Protocol:
    """What a number depends on besides the model; every combination of views, iterations and thresholds is a setting.

    Attributes:
        data: the source, see :mod:`jc3d.data.sources`.
        split: which part of it.
        views: random views of each object that the network is given. The most are drawn, fewer are the first of these,
            which are the very views that would be drawn if no more were asked for.
        iterations: of each view's code; of none, the fewest and the most that the model has.
        thresholds: τ, fixed beforehand.
        first: index in the split of the first object.
        objects: how many objects at most; 0 for all of the rest.
        seed: draws cameras and lights.
        thirteen: count only objects of the thirteen categories.
        search_steps: of the sender's search for better bits, see :meth:`jc3d.Codec.encode`.

    Raises:
        ValueError: no number of views or no threshold, a number out of range, or one twice.
    """

    data: str = "procedural"
    split: Split = "test"
    views: tuple[int, ...] = (5,)
    iterations: tuple[int, ...] = ()
    thresholds: tuple[float, ...] = (THRESHOLD,)
    first: int = 0
    objects: int = 1300
    seed: int = 0
    thirteen: bool = True
    search_steps: int = 0

    def __post_init__(self) -> None:
        for name in ("views", "iterations", "thresholds"):
            values = getattr(self, name)
            if not isinstance(values, tuple) or len(set(values)) != len(values):
                raise ValueError(f"{name}: expected a tuple of numbers, none twice, got {values!r}")
            if not values and name != "iterations":
                raise ValueError(f"{name}: expected at least one number, got none")
        for name in ("views", "iterations"):
            if any(not isinstance(value, int) or value < 1 for value in getattr(self, name)):
                raise ValueError(f"{name}: expected whole numbers above 0, got {getattr(self, name)}")
        if self.split not in get_args(Split):
            raise ValueError(f"split: expected one of {', '.join(get_args(Split))}, got {self.split!r}")
        if not all(0 <= threshold < 1 for threshold in self.thresholds):
            raise ValueError(f"thresholds: expected numbers in [0, 1), got {self.thresholds}")
        for name in ("search_steps", "first", "objects"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"{name}: expected a whole number, 0 or more, got {value}")

    def for_model(self, name: str, most: int) -> Protocol:
        """The same with the iterations that a model of this name runs at; it has ``most``.

        Raises:
            ValueError: the model does not have so many.
        """
        wrong = [iterations for iterations in self.iterations if iterations > most]
        if wrong:
            expected = f"1 to {most} with {name}" if most > 1 else f"1 with {name}, which has one code a view"
            raise ValueError(f"iterations: expected {expected}, got {wrong[0]}")
        return replace(self, iterations=self.iterations or tuple(sorted({1, most})))

    def rates(self) -> Iterator[tuple[int, int]]:
        """Every number of views with every number of iterations."""
        return ((views, iterations) for views in self.views for iterations in self.iterations)

    def rules(self, shapes: bool = True, images: bool = True) -> dict[str, str]:
        """What the protocol and the names of the numbers mean, in words.

        Args:
            shapes: with those about grids.
            images: with those about decoded views.
        """
        most = max(self.views)
        rules = {
            "split": f"{self.data}, split {self.split}, "
            + ("objects of the thirteen categories" if self.thirteen else "all objects")
            + (f", from object {self.first} on" if self.first else ""),
            "views": f"{most} random view{'s' * (most > 1)} of each object, cameras and lights of seed {self.seed}; "
            "k views are the first k of them",
            "background": "white",
            "bytes": "of one object's .jc3d file as made; payload: without its header and checksum; "
            "ratio: of the views as 24-bit pixels",
        }
        if shapes:
            rules |= {
                "threshold": "a cell is occupied where its probability is above the threshold",
                "means": "overall: weighted, the mean over all objects; macro: the mean of the categories' means; "
                "std: of the population of objects",
                "best_turn": "IoU with the best of the four quarter turns of the truth",
            }
        if self.search_steps:
            rules["search"] = f"the sender looked for better bits with {self.search_steps} gradient steps an iteration"
        if images:
            rules |= {
                "images": f"of the {most} views, decoded from the .jc3d file and rounded to 8 bits; mean and "
                "population's standard deviation over the views of all objects",
                "l1": "mean absolute difference, 1 from black to white",
                "psnr": "dB, of each image over its three channels; an image that is decoded exactly counts as one "
                "with a single value off by a step of 8 bits, and is counted in exact",
                "ssim": "of each image, Gaussian window of 11 pixels, mean over its channels",
                "ms_ssim": f"of each image; null where they are smaller than {MS_SSIM_MIN_SIDE} pixels a side, "
                "the least it is defined for",
            }
        return rules
