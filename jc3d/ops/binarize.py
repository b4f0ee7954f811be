"""Binarization of a code: the only lossy step between the encoder and the wire."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jc3d.ops._checks import check_float_tensor, describe
from jc3d.ops._library import register
from jc3d.ops._memory_format import memory_format_of

_MASK_64 = (1 << 64) - 1


def _signed(value: int) -> int:
    """The int64 with the bits of the unsigned ``value``: PyTorch has no arithmetic on uint64."""
    return value - (1 << 64) if value >> 63 else value


# SplitMix64 (Steele, Lea & Flood 2014): the increment and the two multipliers of its output function.
# csrc/kernels/hash.h holds the same three numbers.
_INCREMENT = _signed(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = _signed(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = _signed(0x94D049BB133111EB)


def binarize(x: Tensor, stochastic: bool = False, seed: int | Tensor | None = None) -> Tensor:
    """Maps every element to +1 or -1, with the straight-through gradient.

    Deterministic: +1 where x >= 0 (so for -0.0 too), else -1. Stochastic: +1 with probability (1 + x) / 2, so that the
    mean of the result is x; ``x`` outside [-1, 1] is taken as the nearer end. NaN gives -1 either way. The gradient
    with respect to ``x`` is the incoming gradient, unchanged.

    Element number i in row-major order is +1 when ``u(seed, i) < 0.5 x + 0.5``, where u in [0, 1) has 24 bits and is a
    hash of seed and i alone: the same seed gives the same bits on every device, for any memory layout and any number of
    threads.

    Args:
        x: any shape; float32, float64, bfloat16 or float16; the output of a tanh where stochastic.
        stochastic: draw at random (training) or take the sign (inference).
        seed: of the draw, an integer in [-2^63, 2^63) or an int64 tensor of one element on the device of ``x``. None
            takes one from PyTorch's default generator of that device. Ignored unless ``stochastic``.

    Returns:
        Tensor of ``x``'s shape, dtype and device with elements +1 and -1; channels-last where ``x`` is, else
        contiguous.

    Raises:
        TypeError: ``x`` is not a tensor of one of these dtypes, or ``seed`` is neither integer nor int64 tensor.
        ValueError: ``seed`` is out of range, has more than one element or is on another device.

    Source:
        Golts & Schechner, eq. 13; Toderici et al. 2015, eqs. 4-7; straight-through gradient of Raiko et al. 2015.
    """
    check_float_tensor("x", x)
    result: Tensor = torch.ops.jc3d.binarize(x, _seed_tensor(x, seed) if stochastic else None)
    return result


def binarize_ref(x: Tensor, seed: Tensor | None) -> Tensor:
    """The op in plain PyTorch: the specification of the kernels.

    Args:
        x: any shape, floating point.
        seed: int64 tensor of one element: stochastic; None: deterministic.

    Returns:
        +1 and -1, shape and dtype of ``x``.
    """
    if seed is None:
        positive = x >= 0
    else:
        half = x.to(torch.float64 if x.dtype == torch.float64 else torch.float32) * 0.5
        positive = _uniform(x, seed).to(half.dtype) < half + 0.5
    result = positive.to(x.dtype) * 2 - 1
    return result.contiguous(memory_format=memory_format_of(x))


def _uniform(x: Tensor, seed: Tensor) -> Tensor:
    """u(seed, i) for every element of ``x``: multiples of 2^-24 in [0, 1), float32 (exact)."""
    index = torch.arange(1, x.numel() + 1, device=x.device).reshape(x.shape)
    bits = _mix(_mix(seed.reshape(()) + _INCREMENT) + index * _INCREMENT)
    return _shift_right(bits, 40).to(torch.float32) * 2.0**-24


def _mix(z: Tensor) -> Tensor:
    """The output function of SplitMix64, a bijection of 64-bit integers; int64 products wrap."""
    z = (z ^ _shift_right(z, 30)) * _MULTIPLIER_1
    z = (z ^ _shift_right(z, 27)) * _MULTIPLIER_2
    return z ^ _shift_right(z, 31)


def _shift_right(z: Tensor, count: int) -> Tensor:
    """Logical shift: int64's own would drag the sign bit along."""
    return (z >> count) & (_MASK_64 >> count)


def _seed_tensor(x: Tensor, seed: int | Tensor | None) -> Tensor:
    """The seed as an int64 tensor on the device of ``x``: nothing waits for the GPU or breaks a captured graph."""
    if seed is None:
        return torch.randint(0, 2**63 - 1, (1,), dtype=torch.int64, device=x.device)
    if isinstance(seed, Tensor):
        if seed.dtype != torch.int64:
            raise TypeError(f"seed: expected an integer or an int64 tensor, got {describe(seed)}")
        if seed.numel() != 1:
            raise ValueError(f"seed: expected 1 element, got {seed.numel()}")
        if seed.device != x.device:
            raise ValueError(f"seed: expected a tensor on {x.device}, got one on {seed.device}")
        return seed
    if not isinstance(seed, int):
        raise TypeError(f"seed: expected an integer or an int64 tensor, got {describe(seed)}")
    if not -(2**63) <= seed < 2**63:
        raise ValueError(f"seed: expected an integer in [-2^63, 2^63), got {seed}")
    return torch.full((1,), seed, dtype=torch.int64, device=x.device)


def _fake(x: Tensor, seed: Tensor | None) -> Tensor:
    return torch.empty_like(x, memory_format=memory_format_of(x))


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
    return grad, None


register("binarize", "(Tensor x, Tensor? seed) -> Tensor", reference=binarize_ref, fake=_fake, backward=_backward)
