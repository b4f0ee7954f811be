"""IoU of occupancy grids: functions, and :class:`VoxelIoU` for torchmetrics (extra ``train``)."""

from typing import Any

from jc3d.metrics.iou import THRESHOLD, best_quarter_turn, iou, quarter_turns

__all__ = ["THRESHOLD", "VoxelIoU", "best_quarter_turn", "iou", "quarter_turns"]


def __getattr__(name: str) -> Any:
    """Imports torchmetrics when :class:`VoxelIoU` is asked for, and not before."""
    if name != "VoxelIoU":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from jc3d.metrics.voxel_iou import VoxelIoU

    return VoxelIoU
