"""What training minimises: an image loss, an occupancy loss, or their sum ([J] eqs. 14 to 16)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.colours import YCBCR_OF_RGB
from jc3d.metrics import quarter_turns

_SSIM_WINDOW = 8  # pixels; a box at every fourth pixel costs a tenth of the Gaussian that is measured


def compression_loss(images: Tensor, targets: Tensor, ssim_weight: float = 0.0, colour_weight: float = 0.0) -> Tensor:
    """L1 of the residuals of all iterations, [J] eq. 14: the mean over iterations, images, channels and pixels.

    Most pixels of a view have no colour, so while codes tell little of it L1 is least where the decoder shows none,
    which then teaches the encoder nothing. The square of colour differences is least at their mean instead.

    Args:
        images: (T, N, 3, H, W) in [0, 1], decoded after each iteration.
        targets: (N, 3, H, W).
        ssim_weight: weight of 1 - SSIM beside it, the mean over the same.
        colour_weight: weight of the square of the residuals' blue and red differences, the mean over the same.

    Returns:
        A scalar; without the other weights in the unit of the images.
    """
    residuals = images - targets
    loss = residuals.abs().mean()
    if ssim_weight:
        loss = loss + ssim_weight * (1 - _ssim(images.flatten(0, 1), targets.repeat(len(images), 1, 1, 1)))
    if colour_weight:
        differences = torch.einsum("dc,tnchw->tndhw", residuals.new_tensor(YCBCR_OF_RGB[1:]), residuals)
        loss = loss + colour_weight * differences.square().mean()
    return loss


def _ssim(x: Tensor, y: Tensor) -> Tensor:
    """Mean SSIM (Wang et al., 2004) in boxes, of images in [0, 1]."""

    def mean(z: Tensor) -> Tensor:
        return F.avg_pool2d(z, _SSIM_WINDOW, stride=4)

    with torch.autocast(x.device.type, enabled=False):  # variances are differences of squares
        x, y = x.float(), y.float()
        mean_x, mean_y = mean(x), mean(y)
        var_x, var_y = mean(x * x) - mean_x * mean_x, mean(y * y) - mean_y * mean_y
        cov = mean(x * y) - mean_x * mean_y
        luminance = (2 * mean_x * mean_y + 0.01**2) / (mean_x * mean_x + mean_y * mean_y + 0.01**2)
        return (luminance * (2 * cov + 0.03**2) / (var_x + var_y + 0.03**2)).mean()


def occupancy_loss(logits: Tensor, grid: Tensor, free_front: Tensor, iou_weight: float = 0.0) -> Tensor:
    """Voxel-wise cross-entropy ([J] eq. 15), the mean over cells and objects, and a share of 1 - soft IoU.

    Cross-entropy counts cells, so a lamp of 60 hardly matters beside a cabinet of 16,000, while the mean IoU of an
    evaluation counts objects. The soft IoU (Rahman and Wang, ISVC 2016) does, too.

    Args:
        logits: (B, 2, 32, 32, 32).
        grid: (B, 32, 32, 32) bool.
        free_front: (B,) bool: where true, the quarter turn of the grid of least cross-entropy is the target.
        iou_weight: weight of 1 - soft IoU, the mean over objects.

    Returns:
        A scalar.
    """
    margin = logits[:, 1].float() - logits[:, 0].float()
    target = _turned_to_fit(grid, margin.detach(), free_front).to(margin.dtype)
    loss = F.binary_cross_entropy_with_logits(margin, target)
    if iou_weight:
        prob = torch.sigmoid(margin)
        intersection = (prob * target).flatten(1).sum(-1)
        union = (prob + target).flatten(1).sum(-1) - intersection
        loss = loss + iou_weight * (1 - (intersection + 1) / (union + 1)).mean()  # 1: empty over empty is 1
    return loss


def _turned_to_fit(grid: Tensor, margin: Tensor, free_front: Tensor) -> Tensor:
    """The grids, those with a free front in the quarter turn that agrees best with the logits' margin."""
    if not free_front.any():
        return grid
    turns = quarter_turns(grid[free_front])
    # CE = softplus(m) - y·m: of the turns of y, the one with the largest sum of y·m has the least.
    agreement = torch.where(turns, margin[free_front].unsqueeze(1), 0.0).flatten(2).sum(-1)
    fitting = grid.clone()
    fitting[free_front] = turns[torch.arange(len(turns)), agreement.argmax(dim=1)]
    return fitting
