"""Scores of many batches and processes to one row a measure, rate and source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from jc3d.train.tasks.task import ScoreRow


class _Key(NamedTuple):
    measure: str
    iterations: int | None
    source: str


class ScoreSums:
    """Adds up the rows of a validation; every process sees the same measures, rates and sources in the same order."""

    def __init__(self) -> None:
        self._sums: dict[_Key, tuple[float, int]] = {}

    def add(self, rows: Iterable[ScoreRow], source: str) -> None:
        """Adds the scores of some objects of a source."""
        for row in rows:
            key = _Key(row.measure, row.iterations, source)
            total, count = self._sums.get(key, (0.0, 0))
            self._sums[key] = (total + row.mean * row.count, count + row.count)

    def rows(self, over_processes: Callable[[Tensor], Tensor]) -> list[ScoreRow]:
        """The means over all objects.

        Args:
            over_processes: sums a tensor over all processes.
        """
        totals, counts = over_processes(torch.tensor(list(self._sums.values()), dtype=torch.float64).T).tolist()
        return [
            ScoreRow(key.measure, total / count, round(count), key.iterations, key.source)
            for key, total, count in zip(self._sums, totals, counts, strict=True)
        ]
