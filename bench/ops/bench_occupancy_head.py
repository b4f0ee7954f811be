"""occupancy_head against two channels and their softmax in plain PyTorch.

`matmul` is the floor: as many multiply-adds as ours in one matrix product, with nothing to add up.
"""

import pytest
import torch
from compiled import compiled
from torch.nn import functional as F

from jc3d.ops import occupancy_head

# (in, side, doubled): the last layers of the paper's decoder and of the small one.
LAYERS = [(32, 32, False), (32, 16, True)]


def eager(x, weight, bias, doubled):
    grid = F.interpolate(x, scale_factor=2.0) if doubled else x
    return F.conv3d(grid, weight, bias, padding=1).softmax(dim=1)[:, 1]


def matmul(cells, weights):
    return cells @ weights


@pytest.mark.parametrize("contender", ["ours", "eager", "compile", "matmul"])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("objects", [1, 8])
def bench_occupancy_head(measure, benchmark, device, contender, layer, objects):
    channels, side, doubled = layer
    benchmark.group = f"occupancy_head {objects} x {channels}, {side}³{', doubled' if doubled else ''} {device}"
    torch.manual_seed(0)
    x = torch.randn(objects, channels, side, side, side, device=device)
    weight, bias = torch.randn(2, channels, 3, 3, 3, device=device) / 30, torch.randn(2, device=device)
    expected, columns = eager(x, weight, bias, doubled), 64 if doubled else 27
    run = {"ours": occupancy_head, "compile": compiled(eager), "eager": eager, "matmul": matmul}[contender]
    arguments = x, weight, bias, doubled
    if contender == "ours":
        arguments = (x.contiguous(memory_format=torch.channels_last_3d), *arguments[1:])
    with torch.inference_mode():
        if contender == "matmul":
            arguments = torch.randn(objects * side**3, channels), torch.randn(channels, columns)
            arguments = tuple(argument.to(device) for argument in arguments)
        else:
            torch.testing.assert_close(run(*arguments), expected, rtol=1e-4, atol=1e-4)
        measure(run, *arguments, num_products=columns * channels * objects * side**3)
