"""pack_bits against numpy.packbits, its reference and, on a GPU, cupy.packbits."""

import numpy as np
import pytest
import torch

from jc3d.ops import pack_bits
from jc3d.ops.pack_bits import pack_bits_ref

SHAPES = {rows: (rows, 1024) for rows in (1, 6, 64, 1024, 4096, 65536)}


def numpy_packbits(x):
    return np.packbits(x.numpy() >= 0, axis=-1)


def cupy_packbits(x):
    import cupy

    return cupy.packbits(cupy.asarray(x) >= 0).reshape(x.shape[0], -1)


@pytest.mark.parametrize("contender", ["ours", "reference", "numpy", "cupy"])
@pytest.mark.parametrize("rows", SHAPES)
def bench_pack_bits(measure, benchmark, device, contender, rows):
    if (contender == "numpy") != (device == "cpu") and contender in ("numpy", "cupy"):
        pytest.skip("of the other device")
    if contender == "cupy":
        pytest.importorskip("cupy")
    benchmark.group = f"pack_bits {SHAPES[rows]} {device}"
    torch.manual_seed(0)
    x = torch.randn(SHAPES[rows]).to(device)
    run = {"ours": pack_bits, "reference": pack_bits_ref, "numpy": numpy_packbits, "cupy": cupy_packbits}[contender]
    assert torch.equal(torch.as_tensor(run(x), device=device), pack_bits(x))
    measure(run, x, num_bytes=x.numel() * 4 + x.numel() // 8)
