"""A view's code to the gates of the recurrence, in two steps: codes are read, then views are placed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from jc3d.ops import packed_linear

SKIP_SIDE = 16
SKIP_CHANNELS = 32


class CodeFeatures(NamedTuple):
    """What is read of N codes, before the views are placed.

    Attributes:
        features: (N, ...): a map to unproject, or the gates themselves where nothing is placed.
        context: (N, C): numbers that describe the whole view; None where nothing is placed.
        pose_scores: (N, AZIMUTH_BINS + 2), see :class:`jc3d.nn.pose_head.PoseHead`; None where nothing is placed.
    """

    features: Tensor
    context: Tensor | None = None
    pose_scores: Tensor | None = None


class ViewGates(NamedTuple):
    """What N codes give: the recurrence its gates, the decoder its skip features.

    Attributes:
        x_gates: (N, 3·N_h, S, S, S).
        skip_features: (N, C, 16, 16, 16), which enter the decoder beside the hidden state; C = 0 where there are none.
    """

    x_gates: Tensor
    skip_features: Tensor


class Gates(nn.Module, ABC):
    """(N, K) codes to the gates of the recurrence."""

    @abstractmethod
    def read(self, codes: Tensor) -> CodeFeatures:
        """Reads codes."""

    @abstractmethod
    def place(self, read: CodeFeatures, poses: Tensor | None = None) -> ViewGates:
        """The gates of codes that were read.

        Args:
            read: what :meth:`read` gave.
            poses: (N, 3), see :class:`jc3d.nn.pose_head.PoseHead`; None: the most likely ones.
        """

    def forward(self, codes: Tensor) -> ViewGates:
        """Gates of codes, by the most likely poses."""
        return self.place(self.read(codes))


class LinearGates(Gates):
    """(N, K) -> (N, 3·N_h, S, S, S): a full matrix ([J] §II-C), and no skip features; poses do not matter.

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

    def read(self, codes: Tensor) -> CodeFeatures:
        """Multiplies codes; packed ones, uint8 (N, ceil(K / 8)), as they are."""
        if codes.dtype == torch.uint8:
            gates = packed_linear(codes, self.linear.weight, self.linear.bias)
        elif torch.is_grad_enabled():
            gates = self.linear(codes)
        else:  # the same product the other way round, which CPU libraries run twice as fast for a few codes
            gates = torch.addmm(self.linear.bias[:, None], self.linear.weight, codes.T).T.contiguous()
        return CodeFeatures(gates.view(-1, *self.shape))

    def place(self, read: CodeFeatures, poses: Tensor | None = None) -> ViewGates:
        """Adds that there are no skip features."""
        gates = read.features
        return ViewGates(gates, gates.new_empty(gates.shape[0], 0, *(SKIP_SIDE,) * 3))
