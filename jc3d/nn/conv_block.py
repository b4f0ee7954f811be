"""What every convolution that a norm may follow has in common."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

NEGATIVE_SLOPE = 0.01  # of every LeakyReLU of the models ([J]'s implementation uses torch's default)


class ConvBlock(nn.Module):
    """A convolution and what belongs to it: batch normalisation, and LeakyReLU.

    :func:`jc3d.models.fold_norms` folds ``norm`` into ``conv``, so ``norm`` comes directly after it.

    Attributes:
        conv: a module with ``weight`` and ``bias`` of a convolution.
        norm: batch normalisation, or ``nn.Identity``.
    """

    conv: Any
    norm: Any

    def has_kernel(self, x: Tensor) -> bool:
        """Whether all of it runs in a kernel whose results for ``x`` depend on neither the batch nor the threads."""
        return False
