"""Eight code elements in a byte: what goes over the wire."""

from __future__ import annotations

import torch
from torch import Tensor

from jc3d.ops._checks import check_float_tensor, check_has_last_dimension
from jc3d.ops._library import register


def pack_bits(x: Tensor) -> Tensor:
    """Packs the signs of the last dimension into bytes.

    Bit 1 for x >= 0 (so for -0.0 too), bit 0 else and for NaN; the first element is the most significant bit of the
    first byte; the last byte is filled up with zeros. Byte-identical to ``numpy.packbits(x >= 0, axis=-1)``.

    Args:
        x: ``(*, n)``; float32, float64, bfloat16 or float16; typically ±1. Anything but a contiguous tensor is copied
            first.

    Returns:
        uint8 ``(*, ceil(n / 8))``, contiguous, on the device of ``x``. It carries no gradient.

    Raises:
        TypeError: ``x`` is not a tensor of one of these dtypes.
        ValueError: ``x`` has no dimension.
    """
    check_float_tensor("x", x)
    check_has_last_dimension("x", x)
    packed: Tensor = torch.ops.jc3d.pack_bits(x)
    return packed


def pack_bits_ref(x: Tensor) -> Tensor:
    """The op in plain PyTorch: the specification of the kernels. ``(*, n)`` float -> ``(*, ceil(n / 8))`` uint8."""
    # In int32 and without a tensor of constants, so that it decomposes into what ONNX runtimes compute.
    bits = torch.nn.functional.pad((x >= 0).to(torch.int32), (0, -x.shape[-1] % 8))
    weights = 2 ** torch.arange(7, -1, -1, dtype=torch.int32, device=x.device)
    groups = bits.reshape(*x.shape[:-1], bits.shape[-1] // 8, 8)
    return (groups * weights).sum(-1, dtype=torch.int32).to(torch.uint8)


def _fake(x: Tensor) -> Tensor:
    return x.new_empty((*x.shape[:-1], (x.shape[-1] + 7) // 8), dtype=torch.uint8)


register("pack_bits", "(Tensor x) -> Tensor", reference=pack_bits_ref, fake=_fake)
