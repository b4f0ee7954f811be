"""How well a grid fits the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from jc3d.evaluate.rows import Value
from jc3d.metrics import turned_ious

BY_CATEGORY = frozenset({"iou", "iou_best_turn"})


def shape_values(prob: Tensor, truth: Tensor, thresholds: Sequence[float]) -> Iterator[Value]:
    """IoU of one object as predicted and with the best quarter turn of the truth, at each threshold.

    Args:
        prob: (32, 32, 32) probabilities.
        truth: (32, 32, 32) bool.
        thresholds: τ.
    """
    ious = turned_ious(prob, truth, thresholds)  # (thresholds, turns)
    for threshold, plain, best in zip(thresholds, ious[:, 0].tolist(), ious.amax(dim=1).tolist(), strict=True):
        yield Value("iou", plain, threshold)
        yield Value("iou_best_turn", best, threshold)
