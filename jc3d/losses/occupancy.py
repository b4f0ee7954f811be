"""The occupancy loss ([J] eq. 15)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.errors import renamed_arguments
from jc3d.geometry.quarter_turns import best_turn, quarter_turns, take_turn


@renamed_arguments(ambiguous_front="free_front")
def occupancy_loss(logits: Tensor, grid: Tensor, ambiguous_front: Tensor, iou_weight: float = 0.0) -> Tensor:
    """Voxel-wise cross-entropy ([J] eq. 15), the mean over cells and objects, and a share of 1 - soft IoU.

    Cross-entropy counts cells, so a lamp of 60 hardly matters beside a cabinet of 16,000, while the mean IoU of an
    evaluation counts objects. The soft IoU (Rahman and Wang, ISVC 2016) does, too.

    Args:
        logits: (B, 2, 32, 32, 32).
        grid: (B, 32, 32, 32) bool.
        ambiguous_front: (B,) bool: where true, the quarter turn of the grid of least cross-entropy is the target.
        iou_weight: weight of 1 - soft IoU, the mean over objects.

    Returns:
        A scalar.
    """
    margin = logits[:, 1].float() - logits[:, 0].float()
    target = _turned_to_fit(grid, margin.detach(), ambiguous_front).to(margin.dtype)
    loss = F.binary_cross_entropy_with_logits(margin, target)
    if iou_weight:
        prob = torch.sigmoid(margin)
        intersection = (prob * target).flatten(1).sum(-1)
        union = (prob + target).flatten(1).sum(-1) - intersection
        loss = loss + iou_weight * (1 - (intersection + 1) / (union + 1)).mean()  # 1: empty over empty is 1
    return loss


def _turned_to_fit(grid: Tensor, margin: Tensor, ambiguous_front: Tensor) -> Tensor:
    """The grids, those with an ambiguous front in the quarter turn that agrees best with the logits' margin."""
    if not ambiguous_front.any():
        return grid
    turned = quarter_turns(grid[ambiguous_front])
    # CE = softplus(m) - y·m: of the turns of y, the one with the largest sum of y·m has the least.
    agreement = torch.where(turned, margin[ambiguous_front].unsqueeze(1), 0.0).flatten(2).sum(-1)
    fitting = grid.clone()
    fitting[ambiguous_front] = take_turn(turned, best_turn(agreement))
    return fitting
