"""conv_lstm_gates: what both gate ops share, and torch's own LSTM cell as a third opinion."""

import torch
from lstm_gates_tests import GatesTests

from jc3d.ops import conv_lstm_gates, conv_lstm_gates_
from jc3d.ops.conv_lstm_gates import OP, conv_lstm_gates_ref


class TestConvLstmGates(GatesTests):
    op = OP


def test_one_pixel_is_torchs_lstm_cell(device):
    """A 1×1 convolution of one pixel is a matrix product: nn.LSTMCell, whose gates come in the same order."""
    torch.manual_seed(0)
    cell = torch.nn.LSTMCell(5, 7, dtype=torch.float64, device=device)
    x, h, c = (torch.randn(3, size, dtype=torch.float64, device=device) for size in (5, 7, 7))
    expected_h, expected_c = cell(x, (h, c))
    ours_h, ours_c = conv_lstm_gates(x @ cell.weight_ih.T, h @ cell.weight_hh.T, cell.bias_ih + cell.bias_hh, c)
    torch.testing.assert_close(ours_h, expected_h)
    torch.testing.assert_close(ours_c, expected_c)


def test_public_functions_agree(device):
    x, h_gates = torch.randn(2, 2, 12, 4, 4, device=device)
    bias, c = torch.randn(12, device=device), torch.randn(2, 3, 4, 4, device=device)
    h, new_c = conv_lstm_gates(x, h_gates, bias, c)
    for ours, expected in zip((h, new_c), conv_lstm_gates_ref(x, h_gates, bias, c), strict=True):
        torch.testing.assert_close(ours, expected)
    assert torch.equal(conv_lstm_gates_(x, h_gates, bias, c), h)
    assert torch.equal(c, new_c)
