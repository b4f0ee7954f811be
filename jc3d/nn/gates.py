"""A view's code to the gates of the recurrence, by one matrix ([J] §II-C)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from jc3d.ops import packed_linear

PoseChoice = Callable[[Tensor], Tensor]
"""Pose scores of N views (N, AZIMUTH_BINS + 2) to the poses (N, 3) to place them by."""

SKIP_SIDE = 16
SKIP_CHANNELS = 32


class ViewGates(NamedTuple):
    """What N codes give: the recurrence its gates, the decoder its skip features.

    Attributes:
        x_gates: (N, 3·N_h, S, S, S).
        skip_features: (N, C, 16, 16, 16), which enter the decoder beside the hidden state; C = 0 where there are none.
    """

    x_gates: Tensor
    skip_features: Tensor


class LinearGates(nn.Module):
    """(N, K) -> (N, 3·N_h, S, S, S): a full matrix ([J] §II-C), and no skip features.

    Its weights, 100 MB at the paper's widths, are what inference waits for: all codes are multiplied in one pass.

    Args:
        code_size: K.
        channels: N_h.
        side: S, units along each side of the cube.
    """

    def __init__(self, code_size: int, channels: int, side: int) -> None:
        super().__init__()
        self.shape = (3 * channels, side, side, side)
        self.linear = nn.Linear(code_size, 3 * channels * side**3)

    def forward(self, codes: Tensor) -> ViewGates:
        """Gates of codes; of packed ones, uint8 (N, ceil(K / 8)), as they are."""
        if codes.dtype == torch.uint8:
            gates = packed_linear(codes, self.linear.weight, self.linear.bias)
        elif torch.is_grad_enabled():
            gates = self.linear(codes)
        else:  # the same product the other way round, which CPU libraries run twice as fast for a few codes
            gates = torch.addmm(self.linear.bias[:, None], self.linear.weight, codes.T).T.contiguous()
        return ViewGates(gates.view(-1, *self.shape), gates.new_empty(gates.shape[0], 0, *(SKIP_SIDE,) * 3))
