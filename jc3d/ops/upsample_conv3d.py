"""Nearest-neighbour doubling, a 3³ convolution and LeakyReLU, as one op."""

from __future__ import annotations

from torch import Tensor

from jc3d.ops._packed_conv3d import PackedConv3d

# Of x[a], of x[a-1] - x[a] and of x[a] - x[a+1]: csrc/kernels/upsample_conv3d.h.
OP = PackedConv3d(
    "upsample_conv3d",
    scale=2,
    products=((1, 1, 1), (1, 0, 0), (0, 0, -1)),
    taps=((0, 1, 0), (1, -1, 1), (0, 0, -1)),
)


def upsample_conv3d(x: Tensor, weight: Tensor, bias: Tensor | None = None, negative_slope: float = 1.0) -> Tensor:
    """Doubles a grid by nearest neighbours, convolves it and applies LeakyReLU; the doubled grid is never formed.

    27 products for eight cells instead of the convolution's 216; the sums are other ones, equal to rounding; what is
    infinite in one output can be NaN in a neighbour. 16-bit types are computed in float32 on the CPU and rounded once.

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
    return OP(x, weight, bias, negative_slope)


def upsample_conv3d_ref(x: Tensor, weight: Tensor, bias: Tensor | None, negative_slope: float) -> Tensor:
    """The op in plain PyTorch: the specification of the kernels."""
    return OP.reference(x, weight, bias, negative_slope)


def pack_upsample_weight(weight: Tensor) -> Tensor:
    """The weight in the order of the CPU kernel, for :func:`upsample_conv3d_packed`: once for many calls.

    Args:
        weight: (out, in, 3, 3, 3).

    Returns:
        (27, ceil(out / p), in, p), p = 128 bytes of columns; float32, or float64 for float64.
    """
    return OP.pack(weight)


def upsample_conv3d_packed(
    x: Tensor, packed: Tensor, bias: Tensor | None, out_channels: int, negative_slope: float = 1.0
) -> Tensor:
    """:func:`upsample_conv3d` with a weight of :func:`pack_upsample_weight`; no gradient."""
    return OP.packed(x, packed, bias, out_channels, negative_slope)
