"""IoU of occupancy grids, quality of images, rate.

Names are imported on first use, so that :mod:`jc3d.metrics.rate` needs no torch. :class:`VoxelIoU`, :func:`psnr`,
:func:`ssim`, :func:`ms_ssim` and :func:`bd_rate` need the extra ``train`` (torchmetrics, scipy).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jc3d.geometry.threshold import THRESHOLD
    from jc3d.metrics.bjontegaard import BDRate, bd_rate
    from jc3d.metrics.grid_iou import best_quarter_turn, iou, turned_ious
    from jc3d.metrics.image_quality import ms_ssim, psnr, ssim
    from jc3d.metrics.rate import compression_ratio, image_bytes
    from jc3d.metrics.voxel_iou import VoxelIoU

__all__ = [
    "THRESHOLD",
    "BDRate",
    "VoxelIoU",
    "bd_rate",
    "best_quarter_turn",
    "compression_ratio",
    "image_bytes",
    "iou",
    "ms_ssim",
    "psnr",
    "ssim",
    "turned_ious",
]

_HOMES = {
    "THRESHOLD": "jc3d.geometry.threshold",
    "BDRate": "jc3d.metrics.bjontegaard",
    "VoxelIoU": "jc3d.metrics.voxel_iou",
    "bd_rate": "jc3d.metrics.bjontegaard",
    "best_quarter_turn": "jc3d.metrics.grid_iou",
    "compression_ratio": "jc3d.metrics.rate",
    "image_bytes": "jc3d.metrics.rate",
    "iou": "jc3d.metrics.grid_iou",
    "ms_ssim": "jc3d.metrics.image_quality",
    "psnr": "jc3d.metrics.image_quality",
    "ssim": "jc3d.metrics.image_quality",
    "turned_ious": "jc3d.metrics.grid_iou",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
