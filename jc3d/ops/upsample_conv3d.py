"""Nearest-neighbour doubling, a 3³ convolution and LeakyReLU, as one op."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.ops._checks import check_float_tensor, describe
from jc3d.ops._library import register
from jc3d.ops._memory_format import memory_format_of

_PANEL_BYTES = 128  # columns of a packed matrix that lie together, csrc/kernels/panel_product.h

# From the taps along an axis to the three products of csrc/kernels/upsample_conv3d.h, and back.
_PRODUCTS = ((1, 1, 1), (1, 0, 0), (0, 0, -1))
_TAPS = ((0, 1, 0), (1, -1, 1), (0, 0, -1))


def upsample_conv3d(x: Tensor, weight: Tensor, bias: Tensor | None = None, negative_slope: float = 1.0) -> Tensor:
    """Doubles a grid by nearest neighbours, convolves it and applies LeakyReLU; the doubled grid is never formed.

    27 products for eight cells instead of the convolution's 216; the sums are other ones, equal to rounding. 16-bit
    types are computed in float32 on the CPU and rounded once.

    Args:
        x: (N, in, D, H, W); float32, float64, bfloat16 or float16. Channels-last is read and written without a copy.
        weight: (out, in, 3, 3, 3), of the convolution with padding 1.
        bias: (out,), or None.
        negative_slope: of the LeakyReLU, positive; 1 for none.

    Returns:
        (N, out, 2D, 2H, 2W) in the dtype and memory format of ``x``.

    Raises:
        TypeError: not a tensor of one of these dtypes, or dtypes differ.
        ValueError: shapes that do not fit, or a slope that is not positive.

    Source:
        Golts & Schechner, §II-C (the decoder of 3D-LSTM-3); the products after Lavin and Gray 2016.
    """
    check_float_tensor("x", x)
    _check_shape("x", x, (None, None, None, None, None))
    _check("weight", weight, x, (None, x.shape[1], 3, 3, 3))
    if bias is not None:
        _check("bias", bias, x, (weight.shape[0],))
    if not negative_slope > 0:
        raise ValueError(f"negative_slope: expected more than 0, got {negative_slope}")
    result: Tensor = torch.ops.jc3d.upsample_conv3d(x, weight, bias, negative_slope)
    return result


def upsample_conv3d_ref(x: Tensor, weight: Tensor, bias: Tensor | None, negative_slope: float) -> Tensor:
    """The op in plain PyTorch: the specification of the kernels."""
    if x.numel():
        result = F.conv3d(F.interpolate(x, scale_factor=2.0), weight, bias, padding=1)
    else:  # torch's convolution wants a cell to look at
        result = x.new_zeros(_out_shape(x, weight.shape[0])) + (0 if bias is None else bias.view(-1, 1, 1, 1))
    result = F.leaky_relu(result, negative_slope)
    return result.contiguous(memory_format=memory_format_of(x))


def pack_upsample_weight(weight: Tensor) -> Tensor:
    """The weight in the order of the CPU kernel, for :func:`upsample_conv3d_packed`: once for many calls.

    Args:
        weight: (out, in, 3, 3, 3).

    Returns:
        (27, ceil(out / p), in, p), p = 128 bytes of columns; float32, or float64 for float64.
    """
    packed: Tensor = torch.ops.jc3d.upsample_conv3d_pack(weight)
    return packed


def upsample_conv3d_packed(
    x: Tensor, packed: Tensor, bias: Tensor | None, out_channels: int, negative_slope: float = 1.0
) -> Tensor:
    """:func:`upsample_conv3d` with a weight of :func:`pack_upsample_weight`; no gradient."""
    result: Tensor = torch.ops.jc3d.upsample_conv3d_packed(x, packed, bias, out_channels, negative_slope)
    return result


def _pack_ref(weight: Tensor) -> Tensor:
    out_channels, in_channels = weight.shape[:2]
    weight = weight if weight.dtype == torch.float64 else weight.float()
    products = torch.tensor(_PRODUCTS, dtype=weight.dtype, device=weight.device)
    packed = torch.einsum("pa,qb,rc,oiabc->pqrio", products, products, products, weight)
    panel = _panel(weight.dtype)
    rows = F.pad(packed.reshape(27, in_channels, out_channels), (0, -out_channels % panel))
    panels: Tensor = rows.view(27, in_channels, -1, panel).transpose(1, 2).contiguous()
    return panels


def _packed_ref(x: Tensor, packed: Tensor, bias: Tensor | None, out_channels: int, negative_slope: float) -> Tensor:
    taps = torch.tensor(_TAPS, dtype=packed.dtype, device=packed.device)
    products = packed.transpose(1, 2).flatten(2)[..., :out_channels].unflatten(0, (3, 3, 3))
    weight = torch.einsum("ap,bq,cr,pqrio->oiabc", taps, taps, taps, products)
    bias = None if bias is None else bias.to(packed.dtype)
    result: Tensor = upsample_conv3d_ref(x.to(packed.dtype), weight, bias, negative_slope).to(x.dtype)
    return result


def _panel(dtype: torch.dtype) -> int:
    return _PANEL_BYTES // dtype.itemsize


def _out_shape(x: Tensor, channels: int) -> tuple[int, ...]:
    return (x.shape[0], channels, *(2 * size for size in x.shape[2:]))


def _fake(x: Tensor, weight: Tensor, bias: Tensor | None, negative_slope: float) -> Tensor:
    return x.new_empty(_out_shape(x, weight.shape[0])).contiguous(memory_format=memory_format_of(x))


def _fake_pack(weight: Tensor) -> Tensor:
    dtype = torch.float64 if weight.dtype == torch.float64 else torch.float32
    panel = _panel(dtype)
    return weight.new_empty((27, -(-weight.shape[0] // panel), weight.shape[1], panel), dtype=dtype)


def _fake_packed(x: Tensor, packed: Tensor, bias: Tensor | None, out_channels: int, negative_slope: float) -> Tensor:
    return x.new_empty(_out_shape(x, out_channels)).contiguous(memory_format=memory_format_of(x))


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, ctx.negative_slope = inputs
    ctx.has_bias = bias is not None
    # The sign of the output is that of what went into the LeakyReLU.
    ctx.save_for_backward(x, weight, output if ctx.negative_slope != 1 else None)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
    x, weight, output = ctx.saved_tensors
    if output is not None:
        grad = torch.where(output > 0, grad, grad * ctx.negative_slope)
    with torch.enable_grad():
        x, weight = x.detach().requires_grad_(), weight.detach().requires_grad_()
        value = upsample_conv3d_ref(x, weight, None, 1.0)
    grad_x, grad_weight = torch.autograd.grad(value, (x, weight), grad)
    return grad_x, grad_weight, grad.sum(dim=(0, 2, 3, 4)) if ctx.has_bias else None, None


def _check(name: str, value: Tensor, x: Tensor, shape: tuple[int | None, ...]) -> None:
    check_float_tensor(name, value)
    if value.dtype != x.dtype:
        raise TypeError(f"{name}: expected {describe(x)} as x, got {describe(value)}")
    _check_shape(name, value, shape)
    if value.device != x.device:
        raise ValueError(f"{name}: expected a tensor on {x.device} as x, got one on {value.device}")


def _check_shape(name: str, value: Tensor, shape: tuple[int | None, ...]) -> None:
    fits = value.dim() == len(shape)
    for want, got in zip(shape, value.shape, strict=False):
        fits = fits and (want is None or want == got)
    if not fits:
        wanted = ", ".join("*" if size is None else f"{size}" for size in shape)
        raise ValueError(f"{name}: expected ({wanted}), got {tuple(value.shape)}")


# A GPU has cuDNN; nothing of ours was measured against it yet.
_WITHOUT_CUDA = "PyTorch's own convolutions run on a GPU"

register(
    "upsample_conv3d",
    "(Tensor x, Tensor weight, Tensor? bias, float negative_slope) -> Tensor",
    reference=upsample_conv3d_ref,
    fake=_fake,
    backward=_backward,
    setup_context=_setup_context,
    without_cuda=_WITHOUT_CUDA,
)
register(
    "upsample_conv3d_pack",
    "(Tensor weight) -> Tensor",
    reference=_pack_ref,
    fake=_fake_pack,
    listed=False,
    without_cuda=_WITHOUT_CUDA,
)
register(
    "upsample_conv3d_packed",
    "(Tensor x, Tensor packed, Tensor? bias, int out_channels, float negative_slope) -> Tensor",
    reference=_packed_ref,
    fake=_fake_packed,
    listed=False,
    without_cuda=_WITHOUT_CUDA,
)
