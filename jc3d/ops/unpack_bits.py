"""The inverse of :func:`jc3d.ops.pack_bits`: bytes off the wire to code elements."""

from __future__ import annotations

import torch
from torch import Tensor

from jc3d.ops._checks import check_float_dtype, check_has_last_dimension, describe
from jc3d.ops._library import register


def unpack_bits(packed: Tensor, n: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Unpacks bytes into ±1: bit 1 to +1 and bit 0 to -1, most significant bit first.

    Args:
        packed: uint8 ``(*, ceil(n / 8))`` as :func:`jc3d.ops.pack_bits` returns it. The bits after the n-th are
            ignored. Anything but a contiguous tensor is copied first.
        n: number of elements of the last dimension of the result, at least 0.
        dtype: of the result; float32, float64, bfloat16 or float16.

    Returns:
        ``(*, n)`` of ``dtype``, contiguous, on the device of ``packed``, elements +1 and -1.

    Raises:
        TypeError: ``packed`` is not a uint8 tensor, ``n`` no integer, or ``dtype`` none of these.
        ValueError: ``packed`` has no dimension, ``n`` is negative, or ``packed`` does not hold ``ceil(n / 8)`` bytes a
            row.
    """
    if not isinstance(packed, Tensor) or packed.dtype != torch.uint8:
        raise TypeError(f"packed: expected a uint8 tensor, got {describe(packed)}")
    check_has_last_dimension("packed", packed)
    check_float_dtype("dtype", dtype)
    if isinstance(n, float | str):  # what an integer is not, in the words that torch.compile knows
        raise TypeError(f"n: expected an integer, got {n!r}")
    if n < 0:
        raise ValueError(f"n: expected 0 or more, got {n}")
    expected = (n + 7) // 8
    if packed.shape[-1] != expected:
        raise ValueError(f"packed: expected {expected} bytes in the last dimension for n = {n}, got {packed.shape[-1]}")
    signs: Tensor = torch.ops.jc3d.unpack_bits(packed, n, dtype)
    return signs


def unpack_bits_ref(packed: Tensor, n: int, dtype: torch.dtype) -> Tensor:
    """The op in plain PyTorch: the specification of the kernels.

    ``(*, ceil(n / 8))`` uint8 -> ``(*, n)`` of ``dtype``.
    """
    # In int32 and without a tensor of constants, so that it decomposes into what ONNX runtimes compute.
    weights = 2 ** torch.arange(7, -1, -1, dtype=torch.int32, device=packed.device)
    bits = packed.to(torch.int32).unsqueeze(-1).bitwise_and(weights) != 0
    bits = bits.reshape(*packed.shape[:-1], packed.shape[-1] * 8)
    return bits[..., :n].to(dtype).contiguous() * 2 - 1


def _fake(packed: Tensor, n: int, dtype: torch.dtype) -> Tensor:
    return packed.new_empty((*packed.shape[:-1], n), dtype=dtype)


register("unpack_bits", "(Tensor packed, SymInt n, ScalarType dtype) -> Tensor", reference=unpack_bits_ref, fake=_fake)
