"""Mean IoU as a torchmetrics metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from jc3d.errors import require_extra
from jc3d.geometry.threshold import THRESHOLD
from jc3d.ops import voxel_iou
from jc3d.ops.voxel_iou import checked_thresholds

if TYPE_CHECKING:
    from torchmetrics import Metric
else:
    Metric = require_extra("torchmetrics", "train").Metric


class VoxelIoU(Metric):
    """Mean over objects of the IoU of each, [J] eq. 17; the same in one process and in several.

    Args:
        threshold: τ, or several: the result has one number for each.
        logits: the predictions are logits.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        TypeError, ValueError: a threshold that :func:`jc3d.ops.voxel_iou` refuses.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    total: Tensor
    count: Tensor

    def __init__(self, threshold: float | Sequence[float] = THRESHOLD, logits: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        checked_thresholds(threshold, logits)
        self.threshold = threshold
        self.logits = logits
        shape = (len(threshold),) if isinstance(threshold, Sequence) else ()
        # float64: the sum over a large test set loses nothing, whatever the number of processes.
        self.add_state("total", torch.zeros(shape, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prob: Tensor, target: Tensor) -> None:
        """Adds a batch, (B, X, Y, Z) each, as for :func:`jc3d.ops.voxel_iou`."""
        if prob.dim() != 4:
            raise ValueError(f"prob: expected (B, X, Y, Z), got {tuple(prob.shape)}")
        self.total += voxel_iou(prob, target, self.threshold, self.logits).iou.double().sum(-1)
        self.count += len(prob)

    def compute(self) -> Tensor:
        """The mean, float32; NaN before the first object."""
        return (self.total / self.count).float()
