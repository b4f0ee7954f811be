"""The binarizer: numbers in [-1, 1] to ±1."""

from __future__ import annotations

from torch import Tensor, nn

from jc3d.ops import binarize


class Binarizer(nn.Module):
    """Stochastic ±1 in training, the sign in inference ([J] eq. 13; [V] eqs. 4-7).

    Training draws +1 with probability (1 + x) / 2, so that E[b(x)] = x and the gradient passes unchanged.
    Inference skips the draw: x >= 0 gives +1. The draws follow torch's own generator (``torch.manual_seed``).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Binarizes.

        Args:
            x: any shape, floating point, in [-1, 1] in training.

        Returns:
            ±1 in the shape and dtype of ``x``.
        """
        return binarize(x, stochastic=self.training)
