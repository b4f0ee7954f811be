"""The recurrence of 3D-R2N2: a cube of LSTM units whose hidden state is convolved in 3D."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from jc3d.ops import conv3d_lstm_gates


class GridState(NamedTuple):
    """Hidden and cell state, each (B, C, S, S, S)."""

    h: Tensor
    c: Tensor


class ConvLSTM3d(nn.Module):
    """One step a view: a code enters by a linear map, the hidden state by a 3³ convolution ([J] §II-C, *3D-LSTM-3*).

    There are three gates (input, forget, cell) and no output gate: c = f·c + i·g, h = tanh(c).

    Args:
        code_size: K, numbers in a code.
        channels: N_h, hidden channels of each unit.
        side: S, units along each side of the cube.
        rank: the linear map K -> 3·N_h·S³ as a product of rank ``rank``; None for a full matrix (the paper).
    """

    def __init__(self, code_size: int, channels: int, side: int = 4, rank: int | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.side = side
        gates = 3 * channels
        full = nn.Linear(code_size if rank is None else rank, gates * side**3)
        self.linear: nn.Module = full if rank is None else nn.Sequential(nn.Linear(code_size, rank, bias=False), full)
        self.conv3d = nn.Conv3d(channels, gates, kernel_size=3, padding=1)

    def gates_of_code(self, code: Tensor) -> Tensor:
        """The code's share of the gates, (N, K) -> (N, 3·N_h, S, S, S); the views of all objects fit in one call."""
        gates: Tensor = self.linear(code)
        return gates.view(-1, 3 * self.channels, self.side, self.side, self.side)

    def step(self, x_gates: Tensor, state: GridState | None) -> GridState:
        """Adds one view.

        Args:
            x_gates: (B, 3·N_h, S, S, S) from :meth:`gates_of_code`.
            state: the state after the views before; None for the first (zeros).
        """
        assert self.conv3d.bias is not None
        bias = self.conv3d.bias.to(x_gates.dtype)  # under autocast the gates are narrower than the parameters
        if state is None:  # the convolution of a zero state is its bias alone
            return GridState(*conv3d_lstm_gates(x_gates, None, bias))
        h_gates = F.conv3d(state.h, self.conv3d.weight, padding=1)
        return GridState(*conv3d_lstm_gates(x_gates, h_gates, bias, state.c))

    def forward(self, code: Tensor, state: GridState | None = None) -> GridState:
        """One code a row, (B, K), to the state after it."""
        return self.step(self.gates_of_code(code), state)
