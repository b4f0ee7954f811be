"""From an encoder's pre-activations straight to the bytes of a code."""

from __future__ import annotations

import torch
from torch import Tensor

from jc3d.ops._checks import check_float_tensor
from jc3d.ops._library import register
from jc3d.ops.pack_bits import pack_bits_ref


def binarize_pack(x: Tensor) -> Tensor:
    """Binarizes and packs in one pass: ``pack_bits(binarize(tanh(x)).flatten(1))``, byte for byte.

    The tanh is skipped, since it does not change a sign. Channels-last maps are read where they lie.

    Args:
        x: (N, *) pre-activations; float32, float64, bfloat16 or float16. Bit 1 for x >= 0, bit 0 else and for NaN, in
            row-major order of the remaining dimensions.

    Returns:
        uint8 (N, ceil(n / 8)) for n elements a sample, most significant bit first, zero padding. No gradient.

    Raises:
        TypeError: ``x`` is not a tensor of one of these dtypes.
        ValueError: ``x`` has fewer than two dimensions.

    Source:
        Golts & Schechner, eq. 13 in inference.
    """
    check_float_tensor("x", x)
    if x.dim() < 2:
        raise ValueError(f"x: expected (N, ...), got {tuple(x.shape)}")
    packed: Tensor = torch.ops.jc3d.binarize_pack(x)
    return packed


def binarize_pack_ref(x: Tensor) -> Tensor:
    """The op in plain PyTorch: the specification of the kernels."""
    return pack_bits_ref(x.contiguous().flatten(1))


def _fake(x: Tensor) -> Tensor:
    count = 1
    for size in x.shape[1:]:
        count = count * size
    return x.new_empty((x.shape[0], (count + 7) // 8), dtype=torch.uint8)


register("binarize_pack", "(Tensor x) -> Tensor", reference=binarize_pack_ref, fake=_fake)
