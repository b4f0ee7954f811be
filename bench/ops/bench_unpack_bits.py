"""unpack_bits against numpy.unpackbits, its reference and filling its result (the least that memory allows)."""

import numpy as np
import pytest
import torch

from jc3d.ops import unpack_bits
from jc3d.ops.unpack_bits import unpack_bits_ref

ROWS = {"five_codes": 5, "batch": 4096}
N = 1024


def jc3d_unpack_bits(packed):
    return unpack_bits(packed, N)


def reference(packed):
    return unpack_bits_ref(packed, N, torch.float32)


def numpy_unpackbits(packed):
    return np.unpackbits(packed.numpy(), axis=-1).astype(np.float32) * 2 - 1


def fill(packed):
    return torch.ones(packed.shape[0], N, device=packed.device)


@pytest.mark.parametrize("contender", [jc3d_unpack_bits, reference, numpy_unpackbits, fill], ids=lambda f: f.__name__)
@pytest.mark.parametrize("rows", ROWS)
def bench_unpack_bits(measure, benchmark, device, contender, rows):
    if contender is numpy_unpackbits and device != "cpu":
        pytest.skip("numpy has no CUDA arrays")
    benchmark.group = f"unpack_bits {rows} {device}"
    measure(contender, torch.randint(256, (ROWS[rows], N // 8), dtype=torch.uint8).to(device))
