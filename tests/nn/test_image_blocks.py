"""Convolution, norm, shrinking and LeakyReLU as one block: it computes what its parts do."""

import pytest
import torch
from torch.nn import functional as F

from jc3d.nn import DownsampleConv2d
from jc3d.nn.image_blocks import ResidualConv2d


def images(channels: int) -> torch.Tensor:
    return torch.randn(2, channels, 8, 6).contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("downsample", ["pool", "stride"])
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("activation", [False, True])
def test_downsampling(downsample: str, norm: bool, activation: bool) -> None:
    torch.manual_seed(0)
    block = DownsampleConv2d(3, 5, 3, 2, downsample, norm, activation)  # type: ignore[arg-type]
    x = images(3)
    block(x)  # moves the norm's statistics
    block.eval()
    expected = F.conv2d(x, block.conv.weight, block.conv.bias, 2 if downsample == "stride" else 1, padding=1)
    if norm:
        expected = block.norm(expected)
    if downsample == "pool":
        expected = F.max_pool2d(expected, 2)
    if activation:
        expected = F.leaky_relu(expected, 0.01)
    torch.testing.assert_close(block(x), expected)
    with torch.no_grad():
        torch.testing.assert_close(block.freeze()(x), expected.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("activation", [False, True])
def test_residuals(norm: bool, activation: bool) -> None:
    torch.manual_seed(0)
    block, x = ResidualConv2d(4, norm, activation), images(4)
    block(x)
    block.eval()
    expected = x + block.norm(F.conv2d(F.leaky_relu(x, 0.01), block.conv.weight, block.conv.bias, padding=1))
    torch.testing.assert_close(block(x), F.leaky_relu(expected, 0.01) if activation else expected)
