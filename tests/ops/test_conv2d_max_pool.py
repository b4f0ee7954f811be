"""conv2d_max_pool: what convolutions with packed weights share, and what pooling adds."""

import pytest
import torch
from packed_conv_tests import PackedConvTests, sample
from torch.nn import functional as F

from jc3d.ops import conv2d_max_pool, conv2d_max_pool_packed, pack_conv2d_max_pool_weight
from jc3d.ops.conv2d_max_pool import OP, conv2d_max_pool_ref


class TestConv2dMaxPool(PackedConvTests):
    """3² kernels go through Winograd's products, others through the plain sums."""

    op = OP
    cases = (
        ((2, 5, 4, 6), (7, 3, 3)),
        ((2, 5, 4, 6), (7, 5, 5)),
        ((1, 3, 16, 16), (40, 7, 7)),
        ((1, 16, 8, 8), (160, 3, 3)),  # more panels than a piece has
        ((1, 1, 2, 2), (1, 3, 3)),
        ((3, 4, 2, 2), (2, 1, 1)),
        ((1, 2, 10, 140), (33, 3, 3)),  # more windows than a piece has, both ways
        ((1, 2, 6, 140), (3, 5, 5)),
        ((1, 2, 40, 4), (3, 3, 3)),
        ((0, 3, 2, 2), (4, 3, 3)),
        ((2, 3, 2, 0), (4, 3, 3)),
        ((2, 0, 2, 2), (4, 3, 3)),
        ((2, 0, 2, 2), (4, 5, 5)),
        ((2, 3, 2, 2), (0, 3, 3)),
    )
    small = ((2, 2, 4, 2), (3, 3, 3))


def test_public_functions(device):
    for kernel in (3, 5):
        x, weight, bias = sample((1, 3, 4, 4), (4, kernel, kernel), device, torch.float32)
        expected = conv2d_max_pool_ref(x, weight, bias, 0.1)
        torch.testing.assert_close(conv2d_max_pool(x, weight, bias, 0.1), expected, rtol=1e-5, atol=1e-5)
        packed = pack_conv2d_max_pool_weight(weight)
        ours = conv2d_max_pool_packed(x, packed, bias, 4, 0.1)
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


def test_one_tap_moves_the_image(device):
    x, weight = torch.randn(1, 1, 6, 8, device=device), torch.zeros(1, 1, 3, 3, device=device)
    weight[0, 0, 0, 2] = 1.0  # out[y, x] = in[y - 1, x + 1]
    moved = F.pad(x, (0, 1, 1, 0))[..., :-1, 1:]
    torch.testing.assert_close(conv2d_max_pool(x, weight), F.max_pool2d(moved, 2), rtol=1e-5, atol=1e-6)


def test_a_nan_in_any_place_of_a_window_wins(device):
    for kernel in (1, 3):
        weight = torch.zeros(1, 1, kernel, kernel, device=device)
        weight[0, 0, kernel // 2, kernel // 2] = 1.0
        for place in range(4):
            x = torch.randn(1, 1, 2, 2, device=device)
            x.view(-1)[place] = float("nan")
            assert conv2d_max_pool(x, weight).isnan().all()


def test_bad_shapes():
    weight = torch.zeros(2, 1, 3, 3)
    with pytest.raises(ValueError, match=r"x: expected an even height and width, got \(1, 1, 3, 4\)"):
        conv2d_max_pool(torch.zeros(1, 1, 3, 4), weight)
    with pytest.raises(ValueError, match="weight: expected an odd kernel size, got 2"):
        conv2d_max_pool(torch.zeros(1, 1, 4, 4), torch.zeros(2, 1, 2, 2))
    with pytest.raises(RuntimeError, match=r"x: expected .* of even H and W"):
        torch.ops.jc3d.conv2d_max_pool(torch.zeros(1, 1, 3, 4), weight, None, 1.0)
