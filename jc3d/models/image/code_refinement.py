"""Code refinement: the sender improves its bits by gradient steps through the decoder."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from jc3d.losses import compression_loss

_LEARNING_RATE = 0.2  # of Adam, on numbers in ±1
_SSIM_WEIGHT = 1.0


def refine_code(encoded: Tensor, decode: Callable[[Tensor], Tensor], target: Tensor, steps: int) -> Tensor:
    """Changes the bits of one iteration so that the decoded image is nearer to the target.

    An encoder answers at once and for every image alike; the best bits for one image and this decoder are others.
    Gradients reach the numbers behind the bits straight through, as in training, and the best bits seen are kept, so
    the result is never worse than what the encoder gave. Receivers notice nothing.

    Args:
        encoded: (1, M, h, w) in ±1, what the encoder would binarize.
        decode: of bits ±1, (1, M, h, w), the image (1, 3, H, W) in [0, 1] after this iteration; differentiable.
        target: (1, 3, H, W) in [0, 1].
        steps: of Adam.

    Returns:
        ±1, (1, M, h, w): those with the least L1 plus 1 - SSIM (:func:`jc3d.losses.compression_loss`).
    """
    numbers = encoded.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([numbers], lr=_LEARNING_RATE)
    best, least = _signs(encoded), torch.inf
    for step in range(steps + 1):
        with torch.enable_grad():
            bits = _signs(numbers.detach())
            loss = compression_loss(decode(numbers + (bits - numbers).detach())[None], target, _SSIM_WEIGHT)
            if float(loss.detach()) < least:
                best, least = bits, float(loss.detach())
            if step < steps:
                (numbers.grad,) = torch.autograd.grad(loss, [numbers])
        if step < steps:
            optimizer.step()
            with torch.no_grad():
                numbers.clamp_(-1.0, 1.0)
    return best


def _signs(x: Tensor) -> Tensor:
    return torch.where(x >= 0, 1.0, -1.0)
