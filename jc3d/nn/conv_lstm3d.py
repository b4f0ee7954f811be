"""The recurrence of 3D-R2N2: a cube of LSTM units whose hidden state is convolved in 3D."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from jc3d.nn.grid_conv3d import GridConv3d
from jc3d.ops import conv3d_lstm_gates, conv3d_lstm_gates_


class GridState(NamedTuple):
    """Hidden and cell state, each (B, C, S, S, S)."""

    h: Tensor
    c: Tensor


class ConvLSTM3d(nn.Module):
    """One step a view: its code's gates are added to the 3³ convolution of the hidden state ([J] §II-C, *3D-LSTM-3*).

    There are three gates (input, forget, cell) and no output gate: c = f·c + i·g, h = tanh(c).

    Args:
        channels: N_h, hidden channels of each unit.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv3d = GridConv3d(channels, 3 * channels)

    def forward(self, x_gates: Tensor, state: GridState | None = None, overwrite: bool = False) -> GridState:
        """Adds one view.

        Args:
            x_gates: (B, 3·N_h, S, S, S), see :mod:`jc3d.nn.gates`.
            state: the state after the views before; None for the first (zeros).
            overwrite: the old state is not needed any more, and its memory may be used; only without gradients.
        """
        # Under autocast parameters, gates and an old state can differ in precision: that of the gates counts.
        dtype = x_gates.dtype
        assert self.conv3d.bias is not None
        bias = self.conv3d.bias.to(dtype)
        if state is None:  # the convolution of a zero state is its bias alone
            return GridState(*conv3d_lstm_gates(x_gates, None, bias))
        h_gates = self.conv3d.convolve(state.h, None).to(dtype)
        if overwrite and state.c.dtype == dtype:
            return GridState(conv3d_lstm_gates_(x_gates, h_gates, bias, state.c), state.c)
        return GridState(*conv3d_lstm_gates(x_gates, h_gates, bias, state.c.to(dtype)))
