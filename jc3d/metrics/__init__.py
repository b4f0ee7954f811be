"""IoU of occupancy grids, quality of images, rate.

:class:`VoxelIoU`, :func:`psnr`, :func:`ssim` and :func:`ms_ssim` need torchmetrics (extra ``train``), on use.
"""

from typing import Any

from jc3d.geometry.occupancy import THRESHOLD
from jc3d.metrics.bjontegaard import BDQuality, BDRate, bd_quality, bd_rate
from jc3d.metrics.image_quality import ms_ssim, psnr, ssim
from jc3d.metrics.iou import best_quarter_turn, iou
from jc3d.metrics.rate import bits_per_pixel, compression_ratio

__all__ = [
    "THRESHOLD",
    "BDQuality",
    "BDRate",
    "VoxelIoU",
    "bd_quality",
    "bd_rate",
    "best_quarter_turn",
    "bits_per_pixel",
    "compression_ratio",
    "iou",
    "ms_ssim",
    "psnr",
    "ssim",
]


def __getattr__(name: str) -> Any:
    """Imports torchmetrics when :class:`VoxelIoU` is asked for, and not before."""
    if name != "VoxelIoU":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from jc3d.metrics.voxel_iou import VoxelIoU

    return VoxelIoU
