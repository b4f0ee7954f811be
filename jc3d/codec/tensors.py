"""Between packed codes and the tensors that models take and give."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from jc3d.errors import CodesError
from jc3d.ops import pack_bits, unpack_bits


def to_tensor(bits: npt.NDArray[np.uint8], code_bits: int, binary: bool, dtype: torch.dtype | None = None) -> Tensor:
    """Packed codes as a model takes them.

    Args:
        bits: (iterations, views, ceil(code_bits / 8)), see `jc3d.codec.Codes`.
        code_bits: bits of one view and iteration.
        binary: True for bits, False for float32 numbers.
        dtype: a floating dtype; float32 by default.

    Returns:
        (views, iterations · K): -1 and +1, K = code_bits, or for float codes the numbers, K = code_bits / 32.
    """
    dtype = dtype or torch.float32
    if binary:
        codes = unpack_bits(torch.from_numpy(bits.copy()), code_bits, dtype)
    else:
        codes = torch.from_numpy(bits.view("<f4").astype(np.float32)).to(dtype)
    return codes.transpose(0, 1).reshape(bits.shape[1], -1)


def from_tensor(codes: Tensor, iterations: int, binary: bool) -> tuple[npt.NDArray[np.uint8], int]:
    """Packs the codes that a model gave for the views of one object.

    Args:
        codes: (views, iterations · K), floating: exactly -1 or +1 where ``binary``, else finite numbers.
        iterations: how many iterations the last dimension holds, one after another.
        binary: whether a code is bits or float32 numbers.

    Returns:
        (iterations, views, ceil(code_bits / 8)) uint8, and code_bits.

    Raises:
        CodesError: no view, another shape, a binary code that is not ±1.
    """
    if codes.ndim != 2 or 0 in codes.shape or iterations < 1 or codes.shape[1] % iterations:
        raise CodesError(
            f"codes: expected (views, {iterations} iterations · K), at least one view, got {tuple(codes.shape)}"
        )
    codes = codes.detach().to("cpu", torch.float32)
    by_iteration = codes.reshape(codes.shape[0], iterations, -1).transpose(0, 1).contiguous()
    if not binary:
        return by_iteration.numpy().astype("<f4").view(np.uint8), 32 * by_iteration.shape[2]
    if not bool((codes.abs() == 1).all()):
        raise CodesError("codes: expected -1 or +1, got other values or NaN")
    return pack_bits(by_iteration).numpy(), by_iteration.shape[2]
