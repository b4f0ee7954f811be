"""The folded upsampling convolution equals the two layers it replaces."""

import pytest
import torch
from torch.nn import functional as F

from jc3d.nn import UpsampleConv3d
from jc3d.nn.upsample import fold_nearest_into_kernel


@pytest.mark.parametrize("out_channels", [2, 5], ids=["phases", "transposed"])
@pytest.mark.parametrize("shape", [(1, 2, 1, 1, 1), (2, 3, 4, 4, 4), (1, 2, 3, 5, 2)])
def test_equals_nearest_then_convolution(shape: tuple[int, ...], out_channels: int) -> None:
    torch.manual_seed(0)
    layer = UpsampleConv3d(shape[1], out_channels).double()
    x = torch.randn(shape, dtype=torch.float64)
    expected = F.conv3d(F.interpolate(x, scale_factor=2, mode="nearest"), layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-13)


def test_kernel_sum_is_eight_times_that_of_the_convolution() -> None:
    weight = torch.randn(3, 2, 3, 3, 3, dtype=torch.float64)
    folded = fold_nearest_into_kernel(weight)
    assert folded.shape == (2, 3, 4, 4, 4)
    torch.testing.assert_close(folded.sum((2, 3, 4)).T, 8 * weight.sum((2, 3, 4)))


def test_gradients_reach_the_three_tap_kernel() -> None:
    layer = UpsampleConv3d(2, 2).double()
    x = torch.randn(1, 2, 2, 2, 2, dtype=torch.float64, requires_grad=True)

    def upsample(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weight": weight}, (x,))

    assert torch.autograd.gradcheck(upsample, (x, layer.weight))
