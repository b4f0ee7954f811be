"""binarize_pack of channels-last maps against the steps one after the other."""

import pytest
import torch

from jc3d.ops import binarize_pack, pack_bits

SHAPES = {batch: (batch, 256, 2, 2) for batch in (1, 6, 64, 16384)}


def eager(x):
    return pack_bits(torch.sign(torch.tanh(x)).contiguous().flatten(1))


@pytest.mark.parametrize("contender", ["ours", "eager"])
@pytest.mark.parametrize("batch", SHAPES)
def bench_binarize_pack(measure, benchmark, device, contender, batch):
    benchmark.group = f"binarize_pack {SHAPES[batch]} {device}"
    torch.manual_seed(0)
    x = torch.randn(SHAPES[batch]).to(device).contiguous(memory_format=torch.channels_last)
    run = {"ours": binarize_pack, "eager": eager}[contender]
    assert torch.equal(run(x), binarize_pack(x))
    measure(run, x, num_bytes=x.numel() * 4 + x.numel() // 8)
