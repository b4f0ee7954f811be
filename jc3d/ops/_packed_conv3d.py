"""What upsample_conv3d and winograd_conv3d share: a 3³ convolution of a grid in products along every axis."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.ops._checks import check_shape
from jc3d.ops._packed_conv import PackedConv

_Matrix = tuple[tuple[float, ...], ...]


class PackedConv3d(PackedConv):
    """A 3³ convolution.

    Args:
        name: of the op.
        scale: 2 if the grid is doubled by nearest neighbours first, else 1.
        products: the kernel's products along an axis, of the three taps, (P, 3).
        taps: the taps, of the products: a left inverse, (3, P).
    """

    def __init__(self, name: str, scale: int, products: _Matrix, taps: _Matrix) -> None:
        super().__init__(name)
        self.scale = scale
        self.products = products
        self.taps = taps

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """As F.conv3d, of the doubled grid where it is doubled."""
        return F.conv3d(F.interpolate(x, scale_factor=2.0) if self.scale == 2 else x, weight, bias, padding=1)

    def check_shapes(self, x: Tensor, weight: Tensor) -> None:
        """X (N, in, D, H, W), weight (out, in, 3, 3, 3)."""
        check_shape("x", x, (None,) * 5)
        check_shape("weight", weight, (None, x.shape[1], 3, 3, 3))

    def out_shape(self, x: Tensor, channels: int) -> tuple[int, ...]:
        """(N, out, scale·D, scale·H, scale·W)."""
        return (x.shape[0], channels, *(self.scale * size for size in x.shape[2:]))

    def to_products(self, weight: Tensor) -> Tensor:
        """(out, in, 3, 3, 3) -> (P³, in, out)."""
        matrix = torch.tensor(self.products, dtype=weight.dtype, device=weight.device)
        return torch.einsum("pa,qb,rc,oiabc->pqrio", matrix, matrix, matrix, weight).flatten(0, 2)

    def of_products(self, products: Tensor, x: Tensor) -> Tensor:
        """(P³, in, out) -> (out, in, 3, 3, 3)."""
        matrix = torch.tensor(self.taps, dtype=products.dtype, device=products.device)
        cube = products.unflatten(0, (len(self.products),) * 3)
        weight: Tensor = torch.einsum("ap,bq,cr,pqrio->oiabc", matrix, matrix, matrix, cube)
        return weight

    def products_shape(self, weight: Tensor) -> tuple[int, int]:
        """P³ and in."""
        return len(self.products) ** 3, weight.shape[1]
