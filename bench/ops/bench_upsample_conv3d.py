"""upsample_conv3d against the doubled grid's convolution, and the transposed convolution that folds the doubling in.

`matmul` is the floor: as many multiply-adds as ours in one matrix product, with nothing to gather or to add up.
"""

import pytest
import torch
from compiled import compiled
from torch.nn import functional as F

from jc3d.nn.upsample import fold_nearest_into_kernel
from jc3d.ops import pack_upsample_weight, upsample_conv3d_packed

# (in, out, side): the three doubling layers of the paper's decoder.
LAYERS = [(128, 128, 4), (128, 128, 8), (128, 64, 16)]
SLOPE = 0.01


def eager(x, weight, bias):
    return F.leaky_relu(F.conv3d(F.interpolate(x, scale_factor=2.0), weight, bias, padding=1), SLOPE)


def matmul(cells, weights):
    return cells @ weights


def folded(x, kernel, bias):
    return F.leaky_relu(F.conv_transpose3d(x, kernel, bias, stride=2, padding=1), SLOPE)


@pytest.mark.parametrize("contender", ["ours", "eager", "compile", "folded", "matmul"])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("objects", [1, 8])
def bench_upsample_conv3d(measure, benchmark, device, contender, layer, objects):
    channels, out, side = layer
    benchmark.group = f"upsample_conv3d {objects} x {channels} -> {out}, {side}³ {device}"
    torch.manual_seed(0)
    x = torch.randn(objects, channels, side, side, side, device=device)
    weight, bias = torch.randn(out, channels, 3, 3, 3, device=device) / 60, torch.randn(out, device=device)
    expected = eager(x, weight, bias)
    if contender == "ours":
        packed, x = pack_upsample_weight(weight), x.contiguous(memory_format=torch.channels_last_3d)
        run, arguments = upsample_conv3d_packed, (x, packed, bias, out, SLOPE)
    elif contender == "folded":
        run, arguments = folded, (x, fold_nearest_into_kernel(weight), bias)
    else:
        run, arguments = eager if contender == "eager" else compiled(eager), (x, weight, bias)
    products = 27 * channels * out * objects * side**3
    with torch.inference_mode():
        if contender == "matmul":
            run, arguments = matmul, (torch.randn(objects * side**3, channels), torch.randn(channels, 27 * out))
            arguments = tuple(argument.to(device) for argument in arguments)
        else:
            torch.testing.assert_close(run(*arguments), expected, rtol=1e-4, atol=1e-4)
        measure(run, *arguments, num_products=products)
