"""winograd_conv3d: what both packed convolutions share, and a third opinion."""

import torch
from packed_conv_tests import GRIDS, SMALL_GRID, PackedConvTests, sample

from jc3d.ops import pack_winograd_weight, winograd_conv3d, winograd_conv3d_packed
from jc3d.ops.winograd_conv3d import OP, winograd_conv3d_ref


class TestWinogradConv3d(PackedConvTests):
    op = OP
    cases = GRIDS
    small = SMALL_GRID


def test_public_functions(device):
    x, weight, bias = sample((1, 3, 2, 2, 2), (4, 3, 3, 3), device, torch.float32)
    expected = winograd_conv3d_ref(x, weight, bias, 0.1)
    torch.testing.assert_close(winograd_conv3d(x, weight, bias, 0.1), expected)
    torch.testing.assert_close(winograd_conv3d_packed(x, pack_winograd_weight(weight), bias, 4, 0.1), expected)


def test_one_tap_moves_the_grid(device):
    x, weight = torch.randn(1, 1, 5, 4, 7, device=device), torch.zeros(1, 1, 3, 3, 3, device=device)
    weight[0, 0, 0, 2, 1] = 1.0  # out[z, y, x] = in[z - 1, y + 1, x]
    torch.testing.assert_close(winograd_conv3d(x, weight)[:, :, 1:, :-1], x[:, :, :-1, 1:], rtol=1e-5, atol=1e-6)
