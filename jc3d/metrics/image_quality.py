"""How close decoded images are to their originals: PSNR, SSIM and MS-SSIM by torchmetrics (extra ``train``).

SSIM is computed in float64: variances are differences of means of squares, and in float32 two equal images of a flat
bright grey score 0.9987. Neither autocast nor TF32 touches float64. It runs tile by tile, which gives the same numbers
in bounded memory.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from jc3d.errors import require_extra

WINDOW = 11
"""Side of the Gaussian window of SSIM, pixels; its σ is 1.5 (Wang et al. 2004, §III-B)."""
MS_SSIM_MIN_SIDE = 161
"""Least height and width of :func:`ms_ssim`, pixels: (WINDOW - 1) · 2⁴ + 1."""
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, the finest first (Wang, Simoncelli and Bovik 2003, §3.2)."""

_HALO = WINDOW // 2  # pixels around one that its value depends on
_TILE = 128  # pixels; larger ones are slower on a CPU, where a double convolution unfolds its input


def psnr(images: Tensor, targets: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image over its three channels, with a peak of 1.

    Args:
        images: (N, 3, H, W), floating-point numbers in [0, 1], or uint8 of which 255 is 1.
        targets: the originals; the same shape and device, either kind of numbers.

    Returns:
        (N,) float32, dB, without gradient; inf where both images are equal. The mean of PSNRs is not the PSNR of the
        mean error. Needs memory for four images in float32.

    Raises:
        TypeError: other numbers.
        ValueError: other shapes, no pixels, two devices, NaN, or numbers outside [0, 1].
        MissingExtraError: torchmetrics is not installed.
    """
    _check(images, targets, min_side=1)
    ratio = require_extra("torchmetrics", "train").functional.image.peak_signal_noise_ratio
    return _of_each(
        [ratio(x, y, data_range=1.0, reduction="none", dim=(1, 2, 3))[0] for x, y in _pairs(images, targets)], images
    )


def ssim(images: Tensor, targets: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004) of each image: the mean over channels and pixels.

    As torchmetrics computes it: Gaussian window of 11 × 11 with σ = 1.5, K = (0.01, 0.03), and images continued by
    reflection, so that pixels near the border count as well. Implementations that leave the outer five pixels out, as
    the authors' does, give slightly other numbers.

    Args:
        images: as for :func:`psnr`, both sides at least 11 pixels.
        targets: as for :func:`psnr`.

    Returns:
        (N,) float32 in [-1, 1], 1 for equal images, without gradient. Needs memory for two images in float32 and, on a
        CPU, 50 MB.

    Raises:
        TypeError, ValueError, MissingExtraError: as :func:`psnr`; ValueError also for a smaller image.
    """
    _check(images, targets, min_side=WINDOW)
    return _of_each([_mean_ssim(x, y) for x, y in _pairs(images, targets)], images)


def ms_ssim(images: Tensor, targets: Tensor) -> Tensor:
    """Multi-scale structural similarity (Wang, Simoncelli and Bovik 2003) of each image, at five scales that halve.

    What torchmetrics returns with ``normalize="relu"`` from 176 pixels on, and the same computation below, where
    torchmetrics refuses: from 161 to 175 pixels the coarsest scale is 10 pixels wide, and reflection fills a part of
    every window of it. An odd last row or column is left out when a scale is halved. A scale whose mean is negative
    (images that are each other's negative) counts as 0, so that the result is 0 and not the NaN of a negative number to
    a fractional power.

    Args:
        images: as for :func:`psnr`, both sides larger than 160 pixels.
        targets: as for :func:`psnr`.

    Returns:
        (N,) float32 in [0, 1], 1 for equal images, without gradient. Needs memory for three images in float32 and, on a
        CPU, 50 MB.

    Raises:
        TypeError, ValueError, MissingExtraError: as :func:`psnr`; ValueError also for a smaller image.
    """
    _check(images, targets, min_side=MS_SSIM_MIN_SIDE)
    values = []
    for x, y in _pairs(images, targets):
        value = torch.ones((), dtype=torch.float64, device=x.device)
        for weight in MS_SSIM_WEIGHTS[:-1]:
            value *= _mean_contrast(x, y).relu() ** weight
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        values.append(value * _mean_ssim(x, y).relu() ** MS_SSIM_WEIGHTS[-1])
    return _of_each(values, images)


def _mean_ssim(x: Tensor, y: Tensor) -> Tensor:
    """Mean of the SSIM map of one image, (1, 3, H, W) each, as a float64 scalar."""
    height, width = x.shape[-2:]
    total = torch.zeros((), dtype=torch.float64, device=x.device)
    for top, bottom in _intervals(0, height):
        for left, right in _intervals(0, width):
            # Reflection at a cut reaches no further than the halo, which is dropped; at the border it is wanted.
            above, before = min(top, _HALO), min(left, _HALO)
            region = slice(top - above, bottom + _HALO), slice(left - before, right + _HALO)
            ssim_map = _torchmetrics_ssim(x[..., *region], y[..., *region], return_full_image=True)
            total += ssim_map[..., above : above + bottom - top, before : before + right - left].sum()
    return total / x.numel()


def _mean_contrast(x: Tensor, y: Tensor) -> Tensor:
    """Mean of the contrast-structure term of one image over the windows that lie inside it, as a float64 scalar."""
    height, width = x.shape[-2:]
    total = torch.zeros((), dtype=torch.float64, device=x.device)
    for top, bottom in _intervals(_HALO, height - _HALO):
        for left, right in _intervals(_HALO, width - _HALO):
            region = slice(top - _HALO, bottom + _HALO), slice(left - _HALO, right + _HALO)
            mean = _torchmetrics_ssim(x[..., *region], y[..., *region], return_contrast_sensitivity=True)
            total += mean[0] * ((bottom - top) * (right - left))
    return total / ((height - 2 * _HALO) * (width - 2 * _HALO))


def _torchmetrics_ssim(x: Tensor, y: Tensor, **returned: bool) -> Tensor:
    """The second result of torchmetrics' SSIM of a tile, which ``returned`` names."""
    ssim_of = require_extra("torchmetrics", "train").functional.image.structural_similarity_index_measure
    result: tuple[Tensor, Tensor] = ssim_of(
        x.double(), y.double(), sigma=1.5, kernel_size=WINDOW, reduction="none", data_range=1.0, **returned
    )
    return result[1]


def _intervals(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cuts [start, stop) into pieces of a tile's side."""
    for first in range(start, stop, _TILE):
        yield first, min(first + _TILE, stop)


def _pairs(images: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Image after image with its target, (1, 3, H, W) each, float32 (float64 stays) in [0, 1]."""
    for i in range(len(images)):
        yield _as_unit(images[i : i + 1].detach()), _as_unit(targets[i : i + 1].detach())


def _as_unit(image: Tensor) -> Tensor:
    if image.dtype == torch.uint8:
        return image.float() / 255
    return image.to(torch.promote_types(image.dtype, torch.float32))


def _of_each(values: list[Tensor], images: Tensor) -> Tensor:
    return torch.stack(values).float() if values else images.new_zeros(0, dtype=torch.float32)


def _check(images: Tensor, targets: Tensor, min_side: int) -> None:
    if images.dim() != 4 or images.shape[1] != 3:
        raise ValueError(f"images: expected (N, 3, H, W), got {tuple(images.shape)}")
    if targets.shape != images.shape:
        raise ValueError(f"targets: expected {tuple(images.shape)} like images, got {tuple(targets.shape)}")
    height, width = images.shape[-2:]
    if min(height, width) < min_side:
        raise ValueError(f"images: expected a height and width of at least {min_side}, got {height} and {width}")
    if targets.device != images.device:
        raise ValueError(f"targets: expected the device {images.device} of images, got {targets.device}")
    for name, values in (("images", images), ("targets", targets)):
        if values.dtype == torch.uint8:
            continue
        if not values.is_floating_point():
            raise TypeError(f"{name}: expected floating-point numbers or uint8, got {values.dtype}")
        for image in values.detach():
            low, high = (bound.item() for bound in image.aminmax())
            if not (low >= 0 and high <= 1):  # so that a NaN is refused as well
                raise ValueError(f"{name}: expected numbers in [0, 1], got {low} to {high}")
