"""upsample_conv3d: what both packed convolutions share, and a third opinion."""

import torch
from packed_conv_tests import GRIDS, SMALL_GRID, PackedConvTests, sample

from jc3d.ops import pack_upsample_weight, upsample_conv3d, upsample_conv3d_packed
from jc3d.ops.upsample_conv3d import OP, upsample_conv3d_ref


class TestUpsampleConv3d(PackedConvTests):
    op = OP
    cases = GRIDS
    small = SMALL_GRID


def test_public_functions(device):
    x, weight, bias = sample((1, 3, 2, 2, 2), (4, 3, 3, 3), device, torch.float32)
    expected = upsample_conv3d_ref(x, weight, bias, 0.1)
    torch.testing.assert_close(upsample_conv3d(x, weight, bias, 0.1), expected)
    torch.testing.assert_close(upsample_conv3d_packed(x, pack_upsample_weight(weight), bias, 4, 0.1), expected)


def test_a_mean_stays_where_nothing_is_cut_off(device):
    """With taps of 1/27 and a constant grid, cells away from the border keep the constant."""
    x, weight = torch.full((1, 1, 4, 4, 4), 3.0, device=device), torch.full((1, 1, 3, 3, 3), 1 / 27, device=device)
    mean = upsample_conv3d(x, weight)
    inner = mean[0, 0, 1:-1, 1:-1, 1:-1]
    torch.testing.assert_close(inner, torch.full_like(inner, 3.0))
    assert abs(mean[0, 0, 0, 0, 0].item() - 3.0 * 8 / 27) < 1e-6


def test_one_tap_moves_the_doubled_grid(device):
    x, weight = torch.randn(1, 1, 3, 4, 5, device=device), torch.zeros(1, 1, 3, 3, 3, device=device)
    weight[0, 0, 0, 2, 1] = 1.0  # out[z, y, x] = doubled[z - 1, y + 1, x]
    doubled = x.repeat_interleave(2, 2).repeat_interleave(2, 3).repeat_interleave(2, 4)
    torch.testing.assert_close(upsample_conv3d(x, weight)[:, :, 1:, :-1], doubled[:, :, :-1, 1:])
