"""Intersection over union of packed occupancy grids: 4 KiB for 32³ voxels."""

from __future__ import annotations

import torch
from torch import Tensor

from jc3d.ops._checks import describe
from jc3d.ops._library import register
from jc3d.ops.voxel_iou import IouCounts, check_grids, iou_of_counts


def voxel_iou_packed(a: Tensor, b: Tensor) -> IouCounts:
    """IoU over the last three dimensions of grids of eight voxels a byte.

    For callers who hold many grids packed, as the shards of ``jc3d prerender`` do; training and evaluation compare
    probabilities, by :func:`jc3d.ops.voxel_iou`.

    Args:
        a: uint8 (*B, X, Y, ceil(Z / 8)) as :func:`jc3d.ops.pack_bits` packs (*B, X, Y, Z); its padding is zero.
        b: the same shape and device.

    Returns:
        :class:`jc3d.ops.voxel_iou.IouCounts`, each (*B).

    Raises:
        TypeError: not a uint8 tensor.
        ValueError: fewer than three dimensions, other shapes or devices.

    Source:
        Golts & Schechner, eq. 17.
    """
    for name, grid in (("a", a), ("b", b)):
        if not isinstance(grid, Tensor) or grid.dtype != torch.uint8:
            raise TypeError(f"{name}: expected a uint8 tensor, got {describe(grid)}")
    check_grids("a", a, "b", b)
    return IouCounts(*torch.ops.jc3d.voxel_iou_packed(a, b))


def voxel_iou_packed_ref(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The op in plain PyTorch: the specification of the kernels."""
    ones = torch.tensor([value.bit_count() for value in range(256)], device=a.device)
    intersection = ones[(a & b).int()].sum(dim=(-3, -2, -1))
    union = ones[(a | b).int()].sum(dim=(-3, -2, -1))
    return iou_of_counts(intersection, union), intersection, union


def _fake(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    iou, count = a.new_empty(a.shape[:-3], dtype=torch.float32), a.new_empty(a.shape[:-3], dtype=torch.int64)
    return iou, count, torch.empty_like(count)


register(
    "voxel_iou_packed",
    "(Tensor a, Tensor b) -> (Tensor iou, Tensor intersection, Tensor union)",
    reference=voxel_iou_packed_ref,
    fake=_fake,
)
