"""What is measured, as rows: mean and spread of one measure, at one setting, over one group."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jc3d.data.categories import CATEGORIES

OTHER = "other"
"""Group of the objects outside the thirteen categories."""
ALL = "all"
"""Group of every object or image."""
MACRO = "macro"
"""Group whose values are the means of the categories."""


@dataclass(frozen=True)
class Row:
    """Mean and standard deviation of a measure.

    Attributes:
        codec: a model's or classical codec's name.
        measure: a name that :func:`jc3d.evaluate.rules.measure_rules` explains.
        views: of each object.
        iterations: of each view's code; None of a codec that is asked for bytes.
        num_bytes: bytes a view that were asked for; None of a codec that has iterations.
        threshold: τ; None of measures that have none.
        group: :data:`ALL`, a category, :data:`OTHER`, or :data:`MACRO`.
        count: how many values: objects, images, or (of :data:`MACRO`) categories.
        mean: of the values.
        std: the standard deviation of this population.

    Raises:
        ValueError: no values, or numbers that are not finite.
    """

    codec: str
    measure: str
    views: int
    iterations: int | None
    num_bytes: int | None
    threshold: float | None
    group: str
    count: int
    mean: float
    std: float

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count: expected at least 1, got {self.count}")
        for name in ("mean", "std"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name}: expected a finite number, got {getattr(self, name)}")

    @property
    def setting(self) -> Setting:
        """Which codes the row is of."""
        return Setting(self.views, self.iterations, self.num_bytes)

    @property
    def total(self) -> float:
        """Sum of the values; of a measure that is 0 or 1, how many are 1."""
        return self.count * self.mean


class Setting(NamedTuple):
    """One way to code an object; see :class:`Row`."""

    views: int
    iterations: int | None
    num_bytes: int | None


class Value(NamedTuple):
    """One measured number: of an object, of a view or of an image."""

    measure: str
    value: float
    threshold: float | None = None


class Tally:
    """Values by measure and setting, until they become rows.

    Args:
        codec: goes into every row.
        by_category: the measures that also get rows of each category and of their means.
    """

    def __init__(self, codec: str, by_category: frozenset[str]) -> None:
        self._codec, self._by_category = codec, by_category
        self._values: dict[tuple[str, Setting, float | None], dict[str, list[float]]] = {}

    def add(self, setting: Setting, category: str, values: Iterator[Value] | Sequence[Value]) -> None:
        """Takes what was measured of an object of a category."""
        for measure, value, threshold in values:
            groups = self._values.setdefault((measure, setting, threshold), {})
            groups.setdefault(category, []).append(value)

    def rows(self) -> Iterator[Row]:
        """In the order in which measures and settings came; categories in theirs, then all, then their means."""
        measures = list(dict.fromkeys(measure for measure, _, _ in self._values))
        for measure, setting, threshold in sorted(self._values, key=lambda key: measures.index(key[0])):
            groups = dict(self._groups(measure, self._values[measure, setting, threshold]))
            for group, values in groups.items():
                yield Row(
                    self._codec,
                    measure,
                    *setting,
                    threshold,
                    group,
                    len(values),
                    statistics.fmean(values),
                    statistics.pstdev(values),
                )

    def _groups(self, measure: str, values: dict[str, list[float]]) -> Iterator[tuple[str, list[float]]]:
        categories = [name for name in (*CATEGORIES, OTHER) if name in values]
        if measure in self._by_category:
            yield from ((name, values[name]) for name in categories)
        yield ALL, [value for name in categories for value in values[name]]
        if measure in self._by_category:
            yield MACRO, [statistics.fmean(values[name]) for name in categories]
