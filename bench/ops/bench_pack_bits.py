"""pack_bits against numpy.packbits, its reference and a copy of its input (the least that memory allows)."""

import numpy as np
import pytest
import torch

from jc3d.ops import pack_bits
from jc3d.ops.pack_bits import pack_bits_ref

SHAPES = {"five_codes": (5, 1024), "batch": (4096, 1024)}


def numpy_packbits(x):
    return np.packbits(x.numpy() >= 0, axis=-1)


@pytest.mark.parametrize("contender", [pack_bits, pack_bits_ref, numpy_packbits, torch.clone], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", SHAPES)
def bench_pack_bits(measure, benchmark, device, contender, shape):
    if contender is numpy_packbits and device != "cpu":
        pytest.skip("numpy has no CUDA arrays")
    benchmark.group = f"pack_bits {shape} {device}"
    measure(contender, torch.randn(SHAPES[shape]).to(device))
