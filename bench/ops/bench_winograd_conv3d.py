"""winograd_conv3d against the convolution in plain PyTorch, which oneDNN computes.

`matmul` is the floor: as many multiply-adds as ours in one matrix product, with nothing to transform or to add up.
"""

import pytest
import torch
from compiled import compiled
from torch.nn import functional as F

from jc3d.ops import pack_winograd_weight, winograd_conv3d_packed

# (in, out, side): of the paper's networks the decoder's layer at full resolution, and the recurrence's.
LAYERS = [(64, 32, 32), (128, 384, 4)]
SLOPE = 0.01


def eager(x, weight, bias):
    return F.leaky_relu(F.conv3d(x, weight, bias, padding=1), SLOPE)


def matmul(cells, weights):
    return cells @ weights


@pytest.mark.parametrize("contender", ["ours", "eager", "compile", "matmul"])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("objects", [1, 8])
def bench_winograd_conv3d(measure, benchmark, device, contender, layer, objects):
    channels, out, side = layer
    benchmark.group = f"winograd_conv3d {objects} x {channels} -> {out}, {side}³ {device}"
    torch.manual_seed(0)
    x = torch.randn(objects, channels, side, side, side, device=device)
    weight, bias = torch.randn(out, channels, 3, 3, 3, device=device) / 60, torch.randn(out, device=device)
    expected = eager(x, weight, bias)
    if contender == "ours":
        packed, x = pack_winograd_weight(weight), x.contiguous(memory_format=torch.channels_last_3d)
        run, arguments = winograd_conv3d_packed, (x, packed, bias, out, SLOPE)
    else:
        run, arguments = compiled(eager) if contender == "compile" else eager, (x, weight, bias)
    with torch.inference_mode():
        if contender == "matmul":
            tiles = objects * side**3 // 8
            run, arguments = matmul, (torch.randn(tiles, channels), torch.randn(channels, 64 * out))
            arguments = tuple(argument.to(device) for argument in arguments)
        else:
            torch.testing.assert_close(run(*arguments), expected, rtol=1e-4, atol=1e-4)
        measure(run, *arguments, num_products=8 * channels * out * objects * side**3)
