"""The image loss: [J] eq. 14, and SSIM beside it."""

from __future__ import annotations

import torch

from jc3d.losses import compression_loss
from jc3d.metrics import ssim


def test_equation_14() -> None:
    """β Σ |r| with β = 1 / (B·H·W·3·N), written out."""
    images, targets = torch.rand(4, 2, 3, 16, 24), torch.rand(2, 3, 16, 24)
    residuals = torch.stack([targets - image for image in images])
    beta = 1 / (2 * 16 * 24 * 3 * 4)
    torch.testing.assert_close(compression_loss(images, targets), beta * residuals.abs().sum())


def test_ssim_beside_it_follows_the_measured_one() -> None:
    torch.manual_seed(0)
    target = torch.nn.functional.interpolate(torch.rand(1, 3, 9, 9), size=(64, 64), mode="bicubic").clamp(0, 1)
    losses, measured = [], []
    for strength in (0.0, 0.01, 0.02, 0.05):
        noisy = (target + strength * torch.randn_like(target)).clamp(0, 1)
        losses.append(float(compression_loss(noisy[None], target, 1.0) - compression_loss(noisy[None], target)))
        measured.append(1 - float(ssim(noisy, target)))
    assert losses[0] < 1e-5
    assert losses == sorted(losses)
    assert max(abs(a - b) for a, b in zip(losses, measured, strict=True)) < 0.1  # a box and a Gaussian


def test_ssim_beside_it_has_a_gradient_at_equality() -> None:
    images = torch.full((1, 1, 3, 16, 16), 0.5, requires_grad=True)
    compression_loss(images, images.detach()[0], 1.0).backward()
    assert bool(images.grad.isfinite().all())


def test_colours_weigh_by_their_squares_and_greys_nothing() -> None:
    targets = torch.full((1, 3, 2, 2), 0.5)
    grey, blue = targets + 0.1, targets.clone()
    blue[:, 2, :, 0] += 0.2  # half of the pixels
    plain, weighed = (compression_loss(grey[None], targets, colour_weight=weight) for weight in (0.0, 3.0))
    torch.testing.assert_close(plain, weighed, atol=1e-6, rtol=0)
    plain, weighed = (compression_loss(blue[None], targets, colour_weight=weight) for weight in (0.0, 3.0))
    differences = 0.5 * 0.2, -0.0813 * 0.2  # JFIF's Cb and Cr
    torch.testing.assert_close(weighed - plain, torch.tensor(3 * 0.5 * sum(d * d for d in differences) / 2))
