"""A convolution of an image, 2×2 max-pooling and LeakyReLU."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.ops._checks import check_shape
from jc3d.ops._packed_conv import PackedConv

# A 3² kernel goes through Winograd's F(2, 3), csrc/kernels/conv2d_max_pool.h and winograd.h.
_WINOGRAD = 3
_PRODUCTS = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
_TAPS = ((1, 0, 0, 0), (0, 1, -1, 0), (0, 0, 0, 1))


class _Conv2dMaxPool(PackedConv):
    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.max_pool2d(F.conv2d(x, weight, bias, padding=weight.shape[2] // 2), 2)

    def check_shapes(self, x: Tensor, weight: Tensor) -> None:
        check_shape("x", x, (None,) * 4)
        if x.shape[2] % 2 or x.shape[3] % 2:
            raise ValueError(f"x: expected an even height and width, got {tuple(x.shape)}")
        kernel = weight.shape[-1] if weight.dim() else 0
        check_shape("weight", weight, (None, x.shape[1], kernel, kernel))
        if kernel % 2 == 0:
            raise ValueError(f"weight: expected an odd kernel size, got {kernel}")

    def out_shape(self, x: Tensor, channels: int) -> tuple[int, ...]:
        return x.shape[0], channels, x.shape[2] // 2, x.shape[3] // 2

    def to_products(self, weight: Tensor) -> Tensor:
        if weight.shape[2] != _WINOGRAD:
            return weight.permute(2, 3, 1, 0).flatten(0, 2)[None]
        matrix = torch.tensor(_PRODUCTS, dtype=weight.dtype, device=weight.device)
        return torch.einsum("pa,qb,oiab->pqio", matrix, matrix, weight).flatten(0, 1)

    def of_products(self, products: Tensor, x: Tensor) -> Tensor:
        if len(products) == 1:
            kernel = math.isqrt(products.shape[1] // max(x.shape[1], 1))
            plain: Tensor = products[0].unflatten(0, (kernel, kernel, x.shape[1])).permute(3, 2, 0, 1)
            return plain
        matrix = torch.tensor(_TAPS, dtype=products.dtype, device=products.device)
        square = products.unflatten(0, (len(_PRODUCTS),) * 2)
        weight: Tensor = torch.einsum("ap,bq,pqio->oiab", matrix, matrix, square)
        return weight

    def products_shape(self, weight: Tensor) -> tuple[int, int]:
        _, channels, kernel, _ = weight.shape
        return (len(_PRODUCTS) ** 2, channels) if kernel == _WINOGRAD else (1, kernel * kernel * channels)


OP = _Conv2dMaxPool("conv2d_max_pool")


def conv2d_max_pool(x: Tensor, weight: Tensor, bias: Tensor | None = None, negative_slope: float = 1.0) -> Tensor:
    """A convolution that keeps the image's size, then 2×2 max-pooling, then LeakyReLU; the full map is never written.

    Of a 3² kernel the CPU kernel takes 16 products for the four outputs of a window instead of 36. These sums are other
    ones than the plain convolution's, equal to rounding; what is infinite in one output can be NaN in a neighbour.
    16-bit types are computed in float32 on the CPU and rounded once.

    Args:
        x: (N, in, H, W), H and W even; float32, float64, bfloat16 or float16. Channels-last is read and written without
            a copy.
        weight: (out, in, k, k), k odd; the padding is (k - 1) / 2.
        bias: (out,), or None.
        negative_slope: of the LeakyReLU, positive; 1 for none.

    Returns:
        (N, out, H/2, W/2) in the dtype and memory format of ``x``.

    Raises:
        TypeError: not a tensor of one of these dtypes, or dtypes differ.
        ValueError: shapes that do not fit, or a slope that is not positive.

    Source:
        Golts & Schechner, §II-C and §III-C: the layers of the encoder; Lavin and Gray 2016 for the products.
    """
    return OP(x, weight, bias, negative_slope)


def conv2d_max_pool_ref(x: Tensor, weight: Tensor, bias: Tensor | None, negative_slope: float) -> Tensor:
    """The op in plain PyTorch: the specification of the kernels."""
    return OP.reference(x, weight, bias, negative_slope)


def pack_conv2d_max_pool_weight(weight: Tensor) -> Tensor:
    """The weight in the order of the CPU kernel, for :func:`conv2d_max_pool_packed`: once for many calls.

    Args:
        weight: (out, in, k, k), k odd.

    Returns:
        (16, ceil(out / p), in, p) for k = 3, else (1, ceil(out / p), k²·in, p), p = 128 bytes of columns; float32, or
        float64 for float64.
    """
    return OP.pack(weight)


def conv2d_max_pool_packed(
    x: Tensor, packed: Tensor, bias: Tensor | None, out_channels: int, negative_slope: float = 1.0
) -> Tensor:
    """:func:`conv2d_max_pool` with a weight of :func:`pack_conv2d_max_pool_weight`; no gradient."""
    return OP.packed(x, packed, bias, out_channels, negative_slope)
