"""packed_linear against torch.addmm, which takes the codes unpacked, and its reference.

The paper's matrix from a code to the gates. `addmm_transposed` computes the transposed result, (out, rows), which
PyTorch does faster for a few codes. `sum` is the floor of float32: it only reads the weights. Weights that a cache
holds (those of int8 are 25 MB) are not read from memory.
"""

import pytest
import torch

from jc3d.ops import pack_bits, packed_linear, quantize_rows, unpack_bits
from jc3d.ops.packed_linear import packed_linear_ref

COLUMNS, OUT = 1024, 3 * 128 * 4**3
CONTENDERS = ["ours", "ours_bfloat16", "ours_int8", "addmm", "addmm_transposed", "reference", "sum"]


def addmm_transposed(codes, weight, bias):
    return torch.addmm(bias[:, None], weight, codes.T).T


def make(contender, packed, weight, bias):
    """The function and its arguments."""
    if contender == "ours_bfloat16":
        return packed_linear, (packed, weight.bfloat16(), bias)
    if contender == "ours_int8":
        quantized, scale = quantize_rows(weight)
        return packed_linear, (packed, quantized, bias, scale)
    if contender == "addmm":
        return torch.addmm, (bias, unpack_bits(packed, COLUMNS), weight.T)
    if contender == "addmm_transposed":
        return addmm_transposed, (unpack_bits(packed, COLUMNS), weight, bias)
    if contender == "reference":
        return packed_linear_ref, (packed, weight, bias, None)
    if contender == "sum":
        return torch.sum, (weight,)
    return packed_linear, (packed, weight, bias)


@pytest.mark.parametrize("contender", CONTENDERS)
@pytest.mark.parametrize("rows", [1, 5, 40])
def bench_packed_linear(measure, benchmark, device, contender, rows):
    benchmark.group = f"packed_linear {rows} x {COLUMNS} -> {OUT} {device}"
    torch.manual_seed(0)
    packed = pack_bits(torch.randn(rows, COLUMNS)).to(device)
    weight, bias = torch.randn(OUT, COLUMNS, device=device) / 32, torch.randn(OUT, device=device)
    run, arguments = make(contender, packed, weight, bias)
    if contender != "sum":
        tolerance = {"ours_bfloat16": 0.1, "ours_int8": 0.2}.get(contender, 1e-4)
        expected = packed_linear(packed, weight, bias)
        torch.testing.assert_close(run(*arguments), expected, rtol=tolerance, atol=tolerance)
    weights = next(x for x in arguments if x.numel() == weight.numel())
    num_bytes = weights.numel() * weights.itemsize + (0 if contender == "sum" else 4 * rows * OUT)
    with torch.inference_mode():
        measure(run, *arguments, num_bytes=num_bytes)
