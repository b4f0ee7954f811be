"""The recurrent cube against an LSTM cell written out."""

import torch

from jc3d.nn import ConvLSTM3d, GridState


def test_one_cell_is_an_lstm_without_output_gate() -> None:
    """With one unit the 3³ convolution sees its own centre only, so the cube is a plain recurrent cell."""
    torch.manual_seed(0)
    channels = 3
    cell = ConvLSTM3d(channels).double()
    weight_h = cell.conv3d.weight[:, :, 1, 1, 1]
    state, h, c = None, torch.zeros(2, channels).double(), torch.zeros(2, channels).double()
    for _ in range(3):
        x = torch.randn(2, 3 * channels, dtype=torch.float64)
        state = cell(x.view(2, 3 * channels, 1, 1, 1), state)
        gates = x + h @ weight_h.T + cell.conv3d.bias
        i, f, g = gates.chunk(3, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = c.tanh()
    assert state is not None
    torch.testing.assert_close(state.h.flatten(1), h)
    torch.testing.assert_close(state.c.flatten(1), c)


def test_mixed_precision_goes_by_the_gates() -> None:
    """Autocast narrows the hidden convolution, whatever gates it is given, and a state may come from outside it."""
    torch.manual_seed(0)
    cell = ConvLSTM3d(4)
    gates = torch.randn(2, 2, 12, 4, 4, 4)
    exact = cell(gates[1], cell(gates[0]))
    for dtype in (torch.float32, torch.bfloat16):
        outside = cell(gates[0])
        with torch.autocast("cpu", torch.bfloat16):
            first = cell(gates[0].to(dtype))
            for state in (first, outside):
                second = cell(gates[1].to(dtype), state)
                assert second.h.dtype == second.c.dtype == dtype
                torch.testing.assert_close(second.c.float(), exact.c, rtol=0.05, atol=0.05)


def test_no_state_is_a_zero_state() -> None:
    cell = ConvLSTM3d(4)
    x = torch.randn(2, 12, 4, 4, 4)
    zero = torch.zeros(2, 4, 4, 4, 4)
    for ours, theirs in zip(cell(x), cell(x, GridState(zero, zero)), strict=True):
        torch.testing.assert_close(ours, theirs)
