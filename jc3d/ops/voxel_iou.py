"""Intersection over union of occupancy grids, in one pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from jc3d.ops._checks import FLOAT_DTYPES, check_float_tensor, describe
from jc3d.ops._library import register


class IouCounts(NamedTuple):
    """IoU and the counts it is made of.

    Attributes:
        iou: float32 in [0, 1]; 1 where both grids are empty.
        intersection: int64, voxels occupied in both.
        union: int64, voxels occupied in either.
    """

    iou: Tensor
    intersection: Tensor
    union: Tensor


def voxel_iou(
    prob: Tensor, target: Tensor, threshold: float | Sequence[float] = 0.4, logits: bool = False
) -> IouCounts:
    """IoU over the last three dimensions, from exact counts.

    A voxel of ``prob`` is occupied where it is strictly above the threshold (rounded to float32, or to float64 for
    float64); NaN is not. It carries no gradient.

    Args:
        prob: (*B, X, Y, Z) probabilities; float32, float64, bfloat16 or float16.
        target: the same shape and device; bool or uint8 (occupied where not zero), or one of these float dtypes
            (occupied above 0.5; NaN is not).
        threshold: τ, or several.
        logits: ``prob`` holds logits x of the probability σ(x); they are compared with log(τ / (1 - τ)).

    Returns:
        :class:`IouCounts`, each (*B), or (T, *B) for a sequence of T thresholds.

    Raises:
        TypeError: a tensor of another dtype, or a threshold that is no number.
        ValueError: fewer than three dimensions, other shapes or devices, a threshold that is NaN, or with ``logits``
            one outside (0, 1).

    Source:
        Golts & Schechner, eq. 17.
    """
    check_float_tensor("prob", prob)
    if not isinstance(target, Tensor) or target.dtype not in (torch.bool, torch.uint8, *FLOAT_DTYPES):
        raise TypeError(f"target: expected bool, uint8 or a floating-point tensor, got {describe(target)}")
    check_grids("prob", prob, "target", target)
    single = not isinstance(threshold, Sequence)
    thresholds = checked_thresholds(threshold, logits)
    if logits:
        thresholds = [math.log(value / (1 - value)) for value in thresholds]
    result = IouCounts(*torch.ops.jc3d.voxel_iou(prob.detach(), target.detach(), thresholds))
    return IouCounts(*(tensor.squeeze(0) for tensor in result)) if single else result


def checked_thresholds(threshold: float | Sequence[float], logits: bool) -> list[float]:
    """The thresholds as a list.

    Raises:
        TypeError: not numbers.
        ValueError: NaN, or for logits one outside (0, 1).
    """
    given = threshold if isinstance(threshold, Sequence) else (threshold,)
    values = []
    for value in given:
        if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
            raise TypeError(f"threshold: expected a number or a sequence of numbers, got {threshold!r}")
        values.append(float(value))
        if math.isnan(values[-1]) or (logits and not 0 < values[-1] < 1):
            raise ValueError(f"threshold: expected a number{' in (0, 1)' if logits else ''}, got {values[-1]}")
    return values


def check_grids(name: str, grid: Tensor, other_name: str, other: Tensor) -> None:
    """Raises ValueError unless both are (*B, X, Y, Z) of one shape on one device."""
    if grid.dim() < 3:
        raise ValueError(f"{name}: expected (..., X, Y, Z), got {tuple(grid.shape)}")
    if other.shape != grid.shape:
        raise ValueError(f"{other_name}: expected {tuple(grid.shape)} like {name}, got {tuple(other.shape)}")
    if other.device != grid.device:
        raise ValueError(f"{other_name}: expected a tensor on {grid.device}, got one on {other.device}")


def iou_of_counts(intersection: Tensor, union: Tensor) -> Tensor:
    """Float32; 1 where the union is empty."""
    return torch.where(union > 0, intersection.double() / union.clamp(min=1), 1.0).float()


def voxel_iou_ref(prob: Tensor, target: Tensor, thresholds: Sequence[float]) -> tuple[Tensor, Tensor, Tensor]:
    """The op in plain PyTorch: the specification of the kernels. Results are (T, *B)."""
    prob = prob if prob.dtype == torch.float64 else prob.float()
    theirs = target != 0 if target.dtype in (torch.bool, torch.uint8) else target > 0.5
    ours = torch.stack([prob > value for value in thresholds]) if thresholds else prob.new_empty((0, *prob.shape)) > 0
    intersection = (ours & theirs).sum(dim=(-3, -2, -1))
    union = (ours | theirs).sum(dim=(-3, -2, -1))
    return iou_of_counts(intersection, union), intersection, union


def _fake(prob: Tensor, target: Tensor, thresholds: Sequence[float]) -> tuple[Tensor, Tensor, Tensor]:
    shape = (len(thresholds), *prob.shape[:-3])
    iou, count = prob.new_empty(shape, dtype=torch.float32), prob.new_empty(shape, dtype=torch.int64)
    return iou, count, torch.empty_like(count)


register(
    "voxel_iou",
    "(Tensor prob, Tensor target, float[] thresholds) -> (Tensor iou, Tensor intersection, Tensor union)",
    reference=voxel_iou_ref,
    fake=_fake,
)
