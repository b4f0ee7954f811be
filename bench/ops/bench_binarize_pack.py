"""binarize_pack of channels-last maps against the steps one after the other."""

import pytest
import torch

from jc3d.ops import binarize_pack, pack_bits

# The last maps of the paper's encoder and of the small one's; the last is far beyond any cache.
SHAPES = [*((batch, 256, 2, 2) for batch in (1, 6, 64, 16384)), (64, 16, 8, 8), (65536, 16, 8, 8)]


def eager(x):
    return pack_bits(torch.sign(torch.tanh(x)).contiguous().flatten(1))


@pytest.mark.parametrize("contender", ["ours", "eager"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def bench_binarize_pack(measure, benchmark, device, contender, shape):
    benchmark.group = f"binarize_pack {shape} {device}"
    torch.manual_seed(0)
    x = torch.randn(shape).to(device).contiguous(memory_format=torch.channels_last)
    run = {"ours": binarize_pack, "eager": eager}[contender]
    assert torch.equal(run(x), binarize_pack(x))
    measure(run, x, num_bytes=x.numel() * 4 + x.numel() // 8)
