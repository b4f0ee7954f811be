"""conv3d_lstm_gates: what both gate ops share, and the formula written out as a third opinion."""

import torch
from lstm_gates_tests import GatesTests

from jc3d.ops import conv3d_lstm_gates, conv3d_lstm_gates_
from jc3d.ops.conv3d_lstm_gates import OP, conv3d_lstm_gates_ref


class TestConv3dLstmGates(GatesTests):
    op = OP


def test_formula(device):
    torch.manual_seed(0)
    x, h_gates = torch.randn(2, 2, 6, 4, 4, 4, dtype=torch.float64, device=device)
    bias = torch.randn(6, dtype=torch.float64, device=device)
    c_prev = torch.randn(2, 2, 4, 4, 4, dtype=torch.float64, device=device)
    a = x + h_gates + bias[:, None, None, None]
    c = torch.sigmoid(a[:, 2:4]) * c_prev + torch.sigmoid(a[:, :2]) * torch.tanh(a[:, 4:])
    for results in (conv3d_lstm_gates(x, h_gates, bias, c_prev), conv3d_lstm_gates_ref(x, h_gates, bias, c_prev)):
        torch.testing.assert_close(results[0], torch.tanh(c))
        torch.testing.assert_close(results[1], c)
    h = conv3d_lstm_gates_(x, h_gates, bias, c_prev)
    torch.testing.assert_close(h, torch.tanh(c))
    torch.testing.assert_close(c_prev, c)


def test_first_step_is_a_step_from_zeros(device):
    x = torch.randn(2, 6, 4, 4, 4, device=device)
    zeros = torch.zeros(2, 2, 4, 4, 4, device=device)
    for ours, expected in zip(
        conv3d_lstm_gates(x), conv3d_lstm_gates(x, torch.zeros_like(x), None, zeros), strict=True
    ):
        torch.testing.assert_close(ours, expected)
