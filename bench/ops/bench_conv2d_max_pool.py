"""conv2d_max_pool against convolution, pooling and LeakyReLU in plain PyTorch, contiguous and channels-last.

`matmul` is the floor: as many multiply-adds as ours in one matrix product, with nothing to transform, add up or pool.
"""

import pytest
import torch
from compiled import compiled
from torch.nn import functional as F

from jc3d.ops import conv2d_max_pool_packed, pack_conv2d_max_pool_weight

# (in, out, kernel, side): the layers of the paper's encoder.
LAYERS = [(3, 96, 7, 128), (96, 128, 3, 64), (128, 256, 3, 32), (256, 256, 3, 16), (256, 256, 3, 8)]
SLOPE = 0.01


def eager(x, weight, bias):
    return F.leaky_relu(F.max_pool2d(F.conv2d(x, weight, bias, padding=weight.shape[2] // 2), 2), SLOPE)


def matmul(windows, weights):
    return windows @ weights


@pytest.mark.parametrize("contender", ["ours", "eager", "eager channels-last", "compile", "matmul"])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("images", [1, 8])
def bench_conv2d_max_pool(measure, benchmark, device, contender, layer, images):
    channels, out, kernel, side = layer
    benchmark.group = f"conv2d_max_pool {images} x {channels} -> {out}, {kernel}², {side}² {device}"
    torch.manual_seed(0)
    x = torch.randn(images, channels, side, side, device=device)
    weight = torch.randn(out, channels, kernel, kernel, device=device) / (kernel**2 * channels) ** 0.5
    bias = torch.randn(out, device=device)
    expected = eager(x, weight, bias)
    windows, products = images * side**2 // 4, 16 if kernel == 3 else 4 * kernel**2
    if contender in ("ours", "eager channels-last"):
        x = x.contiguous(memory_format=torch.channels_last)
    if contender == "ours":
        run, arguments = conv2d_max_pool_packed, (x, pack_conv2d_max_pool_weight(weight), bias, out, SLOPE)
    elif contender == "matmul":
        depth = products * channels // 4  # four outputs of a window are four rows
        run, arguments = matmul, (torch.randn(4 * windows, depth), torch.randn(depth, out))
        arguments = tuple(argument.to(device) for argument in arguments)
    else:
        run, arguments = compiled(eager) if contender == "compile" else eager, (x, weight, bias)
    with torch.inference_mode():
        if contender != "matmul":
            torch.testing.assert_close(run(*arguments), expected, rtol=1e-4, atol=1e-4)
        measure(run, *arguments, num_products=products * channels * out * windows)
