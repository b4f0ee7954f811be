"""What the numbers of an evaluation depend on besides the codec."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import get_args

from jc3d.data.samples import Split
from jc3d.errors import renamed_arguments
from jc3d.geometry.threshold import THRESHOLD

RENAMED = {"refinement_steps": "search_steps"}
"""Fields that had another name in the release before: new name -> old name."""


@dataclass(frozen=True)
class Protocol:
    """What a number depends on besides the codec; every combination of views, rates and thresholds is a setting.

    The command line has an option for each field, see :mod:`jc3d.cli.dataclass_options`.

    Attributes:
        data: the objects: ``procedural``, or ``meshes=``, ``shards=`` or ``r2n2=FOLDER``. See
            :mod:`jc3d.data.sources`.
        split: which part of the data.
        views: random views of each object that are coded. The most are drawn, fewer are the first of these, which are
            the very views that would be drawn if no more were asked for.
        iterations: the rates of a model, of each view's code; if not given, the fewest and the most.
        thresholds: a cell is occupied where its probability is above this. Fixed beforehand: τ of [J].
        first: index in the split of the first object.
        objects: at most so many objects; 0 for all of the rest.
        seed: draws cameras and lights.
        thirteen: count only objects of the thirteen categories.
        refinement_steps: gradient steps with which the sender improves the codes of images. See
            :meth:`jc3d.Codec.encode`.
        num_bytes: the rates of a classical codec, most bytes of each view's stream. Where its name ends in
            ``-payload``, of the stream without its headers.

    Raises:
        ValueError: no number of views or no threshold, a number out of range, or one twice.
    """

    data: str = "procedural"
    split: Split = "test"
    views: tuple[int, ...] = (5,)
    iterations: tuple[int, ...] = ()
    thresholds: tuple[float, ...] = field(default=(THRESHOLD,), metadata={"flags": ("--threshold",)})
    first: int = 0
    objects: int = 1300
    seed: int = 0
    thirteen: bool = field(default=True, metadata={"flags": ("--thirteen/--all-objects",)})
    refinement_steps: int = 0
    num_bytes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("views", "iterations", "thresholds", "num_bytes"):
            values = getattr(self, name)
            if not isinstance(values, tuple) or len(set(values)) != len(values):
                raise ValueError(f"{name}: expected a tuple of numbers, none twice, got {values!r}")
            if not values and name in ("views", "thresholds"):
                raise ValueError(f"{name}: expected at least one number, got none")
        for name in ("views", "iterations", "num_bytes"):
            if any(not isinstance(value, int) or value < 1 for value in getattr(self, name)):
                raise ValueError(f"{name}: expected whole numbers above 0, got {getattr(self, name)}")
        if self.split not in get_args(Split):
            raise ValueError(f"split: expected one of {', '.join(get_args(Split))}, got {self.split!r}")
        if not all(0 <= threshold < 1 for threshold in self.thresholds):
            raise ValueError(f"thresholds: expected numbers in [0, 1), got {self.thresholds}")
        for name in ("refinement_steps", "first", "objects"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"{name}: expected a whole number, 0 or more, got {value}")

    def for_model(self, name: str, most: int) -> Protocol:
        """The same with the iterations that a model of this name runs at; it has ``most``.

        Raises:
            ValueError: the model does not have so many, or bytes are asked for.
        """
        if self.num_bytes:
            raise ValueError(f"num_bytes: expected none with {name}, whose rates are iterations, got {self.num_bytes}")
        wrong = [iterations for iterations in self.iterations if iterations > most]
        if wrong:
            expected = f"1 to {most} with {name}" if most > 1 else f"1 with {name}, which has one code a view"
            raise ValueError(f"iterations: expected {expected}, got {wrong[0]}")
        return replace(self, iterations=self.iterations or tuple(sorted({1, most})))

    def for_classical(self, name: str) -> Protocol:
        """The same, after checking that a classical codec of this name can be run by it.

        Raises:
            ValueError: no bytes are asked for, or iterations or a refinement are.
        """
        if not self.num_bytes:
            raise ValueError(f"num_bytes: expected at least one size with {name}, got none")
        if self.iterations:
            raise ValueError(f"iterations: expected none with {name}, whose rates are num_bytes, got {self.iterations}")
        if self.refinement_steps:
            raise ValueError(f"refinement_steps: expected 0 with {name}, got {self.refinement_steps}")
        return self


Protocol.__init__ = renamed_arguments(**RENAMED)(Protocol.__init__)  # type: ignore[method-assign]
