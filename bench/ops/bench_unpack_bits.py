"""unpack_bits to float32 against numpy.unpackbits and its reference."""

import numpy as np
import pytest
import torch

from jc3d.ops import pack_bits, unpack_bits
from jc3d.ops.unpack_bits import unpack_bits_ref

SHAPES = {rows: (rows, 1024) for rows in (1, 6, 64, 4096, 65536)}


def ours(packed):
    return unpack_bits(packed, 1024)


def reference(packed):
    return unpack_bits_ref(packed, 1024, torch.float32)


def numpy_unpackbits(packed):
    return np.unpackbits(packed.numpy(), axis=-1).astype(np.float32) * 2 - 1


@pytest.mark.parametrize("contender", ["ours", "reference", "numpy"])
@pytest.mark.parametrize("rows", SHAPES)
def bench_unpack_bits(measure, benchmark, device, contender, rows):
    if contender == "numpy" and device != "cpu":
        pytest.skip("numpy has no CUDA arrays")
    benchmark.group = f"unpack_bits {SHAPES[rows]} {device}"
    torch.manual_seed(0)
    packed = pack_bits(torch.randn(SHAPES[rows])).to(device)
    run = {"ours": ours, "reference": reference, "numpy": numpy_unpackbits}[contender]
    assert torch.equal(torch.as_tensor(run(packed), device=device), ours(packed))
    measure(run, packed, num_bytes=packed.numel() * 33)
