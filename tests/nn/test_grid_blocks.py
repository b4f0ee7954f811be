"""Convolution, norm and LeakyReLU of grids as one block: it computes what its parts do."""

import pytest
import torch
from torch.nn import functional as F

from jc3d.nn.grid_blocks import GridBlock


@pytest.mark.parametrize("doubles", [False, True])
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("skips", [False, True])
def test_grids(doubles: bool, norm: bool, skips: bool) -> None:
    torch.manual_seed(0)
    block, x = GridBlock(3, 17, doubles, norm), torch.randn(2, 3, 4, 2, 3)
    block(x)
    block.eval()
    grid = F.interpolate(x, scale_factor=2.0) if doubles else x
    expected = block.norm(F.conv3d(grid, block.conv.weight, block.conv.bias, padding=1))
    skip = torch.randn_like(expected) if skips else None
    expected = F.leaky_relu(expected if skip is None else expected + skip, 0.01)
    torch.testing.assert_close(block(x, skip), expected, rtol=1e-4, atol=1e-5)
    block.conv.freeze()
    with torch.no_grad():
        torch.testing.assert_close(block(x, skip), expected.detach(), rtol=1e-4, atol=1e-5)
