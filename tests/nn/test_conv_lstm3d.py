"""The recurrent cube against an LSTM cell written out, and against its own pieces."""

import torch

from jc3d.nn import ConvLSTM3d, GridState


def test_one_cell_is_an_lstm_without_output_gate() -> None:
    """With one unit the 3³ convolution sees its own centre only, so the cube is a plain recurrent cell."""
    torch.manual_seed(0)
    code_size, channels = 5, 3
    cell = ConvLSTM3d(code_size, channels, side=1).double()
    weight_h = cell.conv3d.weight[:, :, 1, 1, 1]
    state, h, c = None, torch.zeros(2, channels).double(), torch.zeros(2, channels).double()
    for _ in range(3):
        x = torch.randn(2, code_size, dtype=torch.float64)
        state = cell(x, state)
        gates = cell.linear(x) + h @ weight_h.T + cell.conv3d.bias
        i, f, g = gates.chunk(3, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = c.tanh()
    assert state is not None
    torch.testing.assert_close(state.h.flatten(1), h)
    torch.testing.assert_close(state.c.flatten(1), c)


def test_no_state_is_a_zero_state() -> None:
    cell = ConvLSTM3d(8, 4, side=4)
    x = torch.randn(2, 8)
    zero = torch.zeros(2, 4, 4, 4, 4)
    for ours, theirs in zip(cell(x), cell(x, GridState(zero, zero)), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_low_rank_is_a_product_of_two_matrices() -> None:
    cell = ConvLSTM3d(8, 4, side=2, rank=3)
    first, second = cell.linear
    x = torch.randn(2, 8)
    expected = torch.nn.functional.linear(x, second.weight @ first.weight, second.bias)
    torch.testing.assert_close(cell.gates_of_code(x).flatten(1), expected)
    assert torch.linalg.matrix_rank(second.weight @ first.weight) == 3
