"""A 3³ convolution and LeakyReLU, by Winograd's F(2, 3) along each axis."""

from __future__ import annotations

from torch import Tensor

from jc3d.ops._packed_conv3d import PackedConv3d

# csrc/kernels/winograd_conv3d.h
OP = PackedConv3d(
    "winograd_conv3d",
    scale=1,
    products=((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1)),
    taps=((1, 0, 0, 0), (0, 1, -1, 0), (0, 0, 0, 1)),
)


def winograd_conv3d(x: Tensor, weight: Tensor, bias: Tensor | None = None, negative_slope: float = 1.0) -> Tensor:
    """A 3³ convolution with padding 1, then LeakyReLU, in 64 products for eight cells instead of 216.

    The sums are other ones than the plain convolution's, equal to rounding; what is infinite in one output can be NaN
    in a neighbour. 16-bit types are computed in float32 on the CPU and rounded once.

    Args:
        x: (N, in, D, H, W); float32, float64, bfloat16 or float16. Channels-last is read and written without a copy.
        weight: (out, in, 3, 3, 3).
        bias: (out,), or None.
        negative_slope: of the LeakyReLU, positive; 1 for none.

    Returns:
        (N, out, D, H, W) in the dtype and memory format of ``x``.

    Raises:
        TypeError: not a tensor of one of these dtypes, or dtypes differ.
        ValueError: shapes that do not fit, or a slope that is not positive.

    Source:
        Lavin and Gray 2016, *Fast algorithms for convolutional neural networks*; Golts & Schechner, §II-C.
    """
    return OP(x, weight, bias, negative_slope)


def winograd_conv3d_ref(x: Tensor, weight: Tensor, bias: Tensor | None, negative_slope: float) -> Tensor:
    """The op in plain PyTorch: the specification of the kernels."""
    return OP.reference(x, weight, bias, negative_slope)


def pack_winograd_weight(weight: Tensor) -> Tensor:
    """The weight in the order of the CPU kernel, for :func:`winograd_conv3d_packed`: once for many calls.

    Args:
        weight: (out, in, 3, 3, 3).

    Returns:
        (64, ceil(out / p), in, p), p = 128 bytes of columns; float32, or float64 for float64.
    """
    return OP.pack(weight)


def winograd_conv3d_packed(
    x: Tensor, packed: Tensor, bias: Tensor | None, out_channels: int, negative_slope: float = 1.0
) -> Tensor:
    """:func:`winograd_conv3d` with a weight of :func:`pack_winograd_weight`; no gradient."""
    return OP.packed(x, packed, bias, out_channels, negative_slope)
