"""The binarizer: numbers in [-1, 1] to ±1."""

from __future__ import annotations

from torch import Tensor, distributed, nn

from jc3d.ops import binarize, binarize_pack


class Binarizer(nn.Module):
    """Stochastic ±1 in training, the sign in inference ([J] eq. 13; [V] eqs. 4-7).

    Training draws +1 with probability (1 + x) / 2, so that E[b(x)] = x and the gradient passes unchanged.
    Inference skips the draw: x >= 0 gives +1. The draws follow torch's own generator (``torch.manual_seed``); with
    several processes seeded alike, each draws its rows of what one process would draw for the whole batch.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Binarizes.

        Args:
            x: (N, ...) floating point, in [-1, 1] in training; of equal shape in all processes.

        Returns:
            ±1 in the shape and dtype of ``x``.
        """
        world, rank = 1, 0
        if self.training and distributed.is_available() and distributed.is_initialized():
            world, rank = distributed.get_world_size(), distributed.get_rank()
        if world == 1:
            return binarize(x, stochastic=self.training)
        # A draw depends on the seed and the element's number: give every element its number in the whole batch.
        whole = x.new_zeros(world, *x.shape)
        whole[rank] = x
        return binarize(whole, stochastic=True)[rank]

    @staticmethod
    def pack(x: Tensor) -> Tensor:
        """The packed signs of pre-activations, (N, *) -> uint8 (N, ceil(n / 8)), see :func:`jc3d.ops.binarize_pack`."""
        return binarize_pack(x)
