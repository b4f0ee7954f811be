"""A linear layer whose inputs are codes as they come off the wire."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.ops._checks import check_has_last_dimension, describe
from jc3d.ops._library import register
from jc3d.ops.unpack_bits import unpack_bits_ref

_WEIGHT_DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.int8)
_MAX_INT8_COLUMNS = 1 << 22  # csrc/kernels/packed_linear.h


def packed_linear(packed: Tensor, weight: Tensor, bias: Tensor | None = None, scale: Tensor | None = None) -> Tensor:
    """Multiplies ±1 codes, still packed, with a matrix: ``unpack_bits(packed, n) @ weight.T * scale + bias``.

    The weights are what takes time, and are read from memory once for up to 64 codes, on a GPU for up to 16. A result
    depends neither on the other codes nor on the number of threads, and on a CPU not on the instruction set. Sums of
    float32 and bfloat16 weights are held in float32, those of float64 in float64; those of int8 are exact integers.
    Gradients go to ``weight``, ``bias`` and ``scale``.

    Args:
        packed: uint8 ``(*, ceil(n / 8))`` as :func:`jc3d.ops.pack_bits` returns it. The bits after the n-th are
            ignored. Anything but a contiguous tensor is copied first, of the other arguments too.
        weight: ``(out, n)``; float32, float64, bfloat16, or int8 of :func:`quantize_rows` with at most 2^22 columns.
        bias: ``(out,)`` in the dtype of the result, or None.
        scale: float32 ``(out,)``, by which the sums are multiplied: with an int8 weight, and only then.

    Returns:
        ``(*, out)``, contiguous; float64 for a float64 weight, else float32.

    Raises:
        TypeError: not tensors of these dtypes, or a scale is missing or too many.
        ValueError: shapes that do not fit, or tensors on several devices.

    Source:
        Golts & Schechner, §II-C: the input of the 3D recurrence, K to 3 · N_h · 4³.
    """
    _check_tensor("packed", packed, (torch.uint8,))
    check_has_last_dimension("packed", packed)
    _check_tensor("weight", weight, _WEIGHT_DTYPES)
    if weight.dim() != 2:
        raise ValueError(f"weight: expected (out, n), got {tuple(weight.shape)}")
    out, n = weight.shape
    quantized = weight.dtype == torch.int8
    if quantized and n > _MAX_INT8_COLUMNS:
        raise ValueError(f"weight: expected at most {_MAX_INT8_COLUMNS} columns of int8, got {n}")
    if packed.shape[-1] != (n + 7) // 8:
        raise ValueError(
            f"packed: expected {(n + 7) // 8} bytes in the last dimension for a weight of {n} columns, "
            f"got {packed.shape[-1]}"
        )
    if quantized and scale is None:
        raise TypeError("scale: expected one for an int8 weight, got none")
    if scale is not None and not quantized:
        raise TypeError(f"scale: expected none for a {describe(weight)} weight, got one")
    for name, vector, dtype in (("bias", bias, _result_dtype(weight)), ("scale", scale, torch.float32)):
        if vector is not None:
            _check_tensor(name, vector, (dtype,))
            if vector.shape != (out,):
                raise ValueError(f"{name}: expected ({out},), got {tuple(vector.shape)}")
    for name, tensor in (("weight", weight), ("bias", bias), ("scale", scale)):
        if tensor is not None and tensor.device != packed.device:
            raise ValueError(f"{name}: expected a tensor on {packed.device} as packed, got one on {tensor.device}")
    y: Tensor = torch.ops.jc3d.packed_linear(packed, weight, bias, scale)
    return y


def packed_linear_ref(packed: Tensor, weight: Tensor, bias: Tensor | None, scale: Tensor | None) -> Tensor:
    """The op in plain PyTorch: the specification of the kernels.

    ``(*, ceil(n / 8))`` uint8, ``(out, n)``, ``(out,)``, ``(out,)`` -> ``(*, out)``.
    """
    dtype = _result_dtype(weight)
    y = F.linear(unpack_bits_ref(packed, weight.shape[1], dtype), weight.to(dtype))
    if scale is not None:
        y = y * scale
    return y if bias is None else y + bias


def quantize_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Quantizes a matrix to int8 for :func:`packed_linear`: every row symmetrically, with a scale of its own.

    The scale of a row is its largest magnitude over 127, and a weight the nearest integer to w / scale, half to even:
    it is off by at most half the scale (and rounding), and a result of :func:`packed_linear` by at most n / 2 scales. A
    row of zeros has scale 0.

    For callers whose matrix is too large to keep in floating point; the models keep theirs as it was trained, since
    codes and grids would not stay the same.

    Args:
        weight: ``(out, n)``, finite; float32, float64 or bfloat16.

    Returns:
        int8 ``(out, n)`` in [-127, 127] and float32 ``(out,)``.

    Raises:
        TypeError: ``weight`` is not a tensor of one of these dtypes.
        ValueError: ``weight`` has not two dimensions.
    """
    _check_tensor("weight", weight, _WEIGHT_DTYPES[:3])
    if weight.dim() != 2:
        raise ValueError(f"weight: expected (out, n), got {tuple(weight.shape)}")
    weight = weight.detach().to(_result_dtype(weight))
    largest = weight.abs().amax(1) if weight.shape[1] else weight.new_zeros(len(weight))
    scale = (largest / 127).float()
    divisor = torch.where(scale > 0, scale, torch.ones_like(scale)).to(weight.dtype)
    return (weight / divisor[:, None]).round().clamp(-127, 127).to(torch.int8), scale


def _check_tensor(name: str, value: object, dtypes: tuple[torch.dtype, ...]) -> None:
    if not isinstance(value, Tensor) or value.dtype not in dtypes:
        *most, last = map(describe, dtypes)
        wanted = f"{', '.join(most)} or {last}" if most else last
        raise TypeError(f"{name}: expected a tensor of {wanted}, got {describe(value)}")


def _result_dtype(weight: Tensor) -> torch.dtype:
    return torch.float64 if weight.dtype == torch.float64 else torch.float32


def _fake(packed: Tensor, weight: Tensor, bias: Tensor | None, scale: Tensor | None) -> Tensor:
    return packed.new_empty((*packed.shape[:-1], weight.shape[0]), dtype=_result_dtype(weight))


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    packed, weight, _, scale = inputs
    ctx.save_for_backward(packed, weight if scale is not None else None)
    ctx.columns, ctx.dtype = weight.shape[1], weight.dtype


def _backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor | None, Tensor | None, Tensor | None]:
    packed, weight = ctx.saved_tensors
    _, needs_weight, needs_bias, needs_scale = ctx.needs_input_grad
    rows = grad.flatten(0, -2) if grad.dim() > 1 else grad[None]
    grad_weight = grad_scale = None
    if needs_weight:
        signs = unpack_bits_ref(packed, ctx.columns, grad.dtype).reshape(len(rows), ctx.columns)
        grad_weight = (rows.T @ signs).to(ctx.dtype)
    if needs_scale:
        sums = torch.ops.jc3d.packed_linear(packed, weight, None, torch.ones(len(weight), device=weight.device))
        grad_scale = (grad * sums).reshape(rows.shape).sum(0)
    return None, grad_weight, rows.sum(0) if needs_bias else None, grad_scale


register(
    "packed_linear",
    "(Tensor packed, Tensor weight, Tensor? bias, Tensor? scale) -> Tensor",
    reference=packed_linear_ref,
    fake=_fake,
    backward=_backward,
    setup_context=_setup_context,
)
