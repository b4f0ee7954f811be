"""What a training run writes beside its weights of how good they were on validation objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

KEY = "scores"
_NAMES = {"miou": "mIoU", "l1": "L1"}
_OLD_KEY = re.compile(r"val_(?P<measure>.+?)(_(?P<iterations>\d+))?")


class ValidationScore(NamedTuple):
    """A score of some weights.

    Attributes:
        measure: such as ``miou``.
        iterations: of each view's code, where the score is of one rate among several.
        mean: over the sources of validation objects.
    """

    measure: str
    iterations: int | None
    mean: float

    @property
    def label(self) -> str:
        """The measure as it is printed."""
        return _NAMES.get(self.measure, self.measure)


def stored_scores(scores: Iterable[ValidationScore]) -> dict[str, Any]:
    """Scores as what the metadata of a weights file holds, under :data:`KEY`."""
    return {KEY: [score._asdict() for score in scores]}


def validation_scores(info: Mapping[str, Any]) -> list[ValidationScore]:
    """The scores in the metadata of a weights file, in their order; none of weights that no run wrote.

    Args:
        info: as of :func:`stored_scores`; earlier versions wrote numbers under ``val_l1``, ``val_miou`` and, of each
            rate, ``val_miou_1`` and so on.
    """
    if KEY in info:
        return [ValidationScore(**score) for score in info[KEY]]
    matches = ((_OLD_KEY.fullmatch(key), value) for key, value in info.items())
    return [
        ValidationScore(match["measure"], int(match["iterations"]) if match["iterations"] else None, value)
        for match, value in matches
        if match
    ]
