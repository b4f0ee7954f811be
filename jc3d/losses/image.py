"""The image loss ([J] eq. 14)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.nn.colour import YCBCR_OF_RGB

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
