"""Intersection over union of occupancy grids ([J] eq. 17)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from jc3d.geometry.quarter_turns import best_turn, quarter_turns
from jc3d.geometry.threshold import THRESHOLD
from jc3d.ops import voxel_iou


def iou(prob: Tensor, target: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """IoU over the last three dimensions.

    Args:
        prob: (..., X, Y, Z) occupancy probabilities; a NaN counts as empty.
        target: the same shape; bool, uint8 or floating-point numbers of which those above 0.5 are occupied.
        threshold: τ, strict.

    Returns:
        (...) float32 in [0, 1]; 1 where both grids are empty.

    Raises:
        ValueError, TypeError: as :func:`jc3d.ops.voxel_iou`.
    """
    return voxel_iou(prob, target, threshold).iou


def turned_ious(prob: Tensor, target: Tensor, threshold: float | Sequence[float] = THRESHOLD) -> Tensor:
    """IoU with each of the four quarter turns of the target.

    Args:
        prob: as for :func:`iou`.
        target: as for :func:`iou`, with X = Z.
        threshold: τ, or T of them.

    Returns:
        (..., 4), or (T, ..., 4) where there are several thresholds; turn 0 is the target as it is.
    """
    turned = quarter_turns(target)
    return voxel_iou(prob.unsqueeze(-4).expand_as(turned), turned, threshold).iou


def best_quarter_turn(prob: Tensor, target: Tensor, threshold: float = THRESHOLD) -> tuple[Tensor, Tensor]:
    """IoU with the best of the four quarter turns of the target: for objects whose front is not known.

    Args:
        prob: as for :func:`iou`.
        target: as for :func:`iou`, with X = Z.
        threshold: τ.

    Returns:
        The best IoU (...) and the number of quarter turns of the target that gave it (...), int64.
    """
    ious = turned_ious(prob, target, threshold)
    turns = best_turn(ious)
    return ious.gather(-1, turns.unsqueeze(-1)).squeeze(-1), turns
