"""What the convolutions share whose weight is packed for a CPU kernel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.ops._checks import check_float_tensor, check_like, check_shape
from jc3d.ops._library import register
from jc3d.ops._memory_format import memory_format_of

_PANEL_BYTES = 128  # columns of a packed matrix that lie together, csrc/kernels/panel_product.h

# A GPU has cuDNN; nothing of ours was measured against it yet.
WITHOUT_CUDA = "PyTorch's own convolutions run on a GPU"


class PackedConv(ABC):
    """An op and its companions ``NAME_pack`` and ``NAME_packed``.

    Args:
        name: of the op.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        register(
            name,
            "(Tensor x, Tensor weight, Tensor? bias, float negative_slope) -> Tensor",
            reference=self.reference,
            fake=lambda x, weight, bias, negative_slope: self._empty(x, weight.shape[0]),
            backward=self._backward,
            setup_context=_setup_context,
            without_cuda=WITHOUT_CUDA,
        )
        register(
            f"{name}_pack",
            "(Tensor weight) -> Tensor",
            reference=self.pack_reference,
            fake=self._fake_pack,
            listed=False,
            without_cuda=WITHOUT_CUDA,
        )
        register(
            f"{name}_packed",
            "(Tensor x, Tensor packed, Tensor? bias, int out_channels, float negative_slope) -> Tensor",
            reference=self.packed_reference,
            fake=lambda x, packed, bias, out_channels, negative_slope: self._empty(x, out_channels),
            listed=False,
            without_cuda=WITHOUT_CUDA,
        )

    # What tells them apart -----------------------------------------------------------------------------------------

    @abstractmethod
    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The op in plain PyTorch, up to the LeakyReLU."""

    @abstractmethod
    def check_shapes(self, x: Tensor, weight: Tensor) -> None:
        """Raises a ValueError for shapes that do not fit."""

    @abstractmethod
    def out_shape(self, x: Tensor, channels: int) -> tuple[int, ...]:
        """Of the result."""

    @abstractmethod
    def to_products(self, weight: Tensor) -> Tensor:
        """(out, in, ...) -> (products, depth, out): the matrices that the kernel multiplies by."""

    @abstractmethod
    def of_products(self, products: Tensor, x: Tensor) -> Tensor:
        """The reverse of :meth:`to_products`, for inputs like ``x``."""

    @abstractmethod
    def products_shape(self, weight: Tensor) -> tuple[int, int]:
        """Products and depth."""

    # What they share -----------------------------------------------------------------------------------------------

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None, negative_slope: float) -> Tensor:
        """Checks the arguments and runs the op."""
        check_float_tensor("x", x)
        check_like("weight", weight, x)
        self.check_shapes(x, weight)
        if bias is not None:
            check_like("bias", bias, x)
            check_shape("bias", bias, (weight.shape[0],))
        if not negative_slope > 0:
            raise ValueError(f"negative_slope: expected more than 0, got {negative_slope}")
        result: Tensor = getattr(torch.ops.jc3d, self.name)(x, weight, bias, negative_slope)
        return result

    def pack(self, weight: Tensor) -> Tensor:
        """The weight -> (products, ceil(out / p), depth, p), p = 128 bytes of columns."""
        packed: Tensor = getattr(torch.ops.jc3d, f"{self.name}_pack")(weight)
        return packed

    def packed(self, x: Tensor, packed: Tensor, bias: Tensor | None, out_channels: int, slope: float) -> Tensor:
        """The op with a weight that is packed; no gradient."""
        result: Tensor = getattr(torch.ops.jc3d, f"{self.name}_packed")(x, packed, bias, out_channels, slope)
        return result

    def reference(self, x: Tensor, weight: Tensor, bias: Tensor | None, negative_slope: float) -> Tensor:
        """The op in plain PyTorch: the specification of the kernels."""
        if x.numel() and weight.numel():
            result = self.convolve(x, weight, bias)
        else:  # torch's convolution wants a cell to look at
            biases = 0 if bias is None else bias.view(-1, *(1,) * (x.dim() - 2))
            result = x.new_zeros(self.out_shape(x, weight.shape[0])) + biases
        result = F.leaky_relu(result, negative_slope)
        return result.contiguous(memory_format=memory_format_of(x))

    def pack_reference(self, weight: Tensor) -> Tensor:
        """The packing in plain PyTorch."""
        products = self.to_products(weight.to(_compute_dtype(weight)))
        panel = _PANEL_BYTES // products.dtype.itemsize
        rows = F.pad(products, (0, -products.shape[2] % panel))
        panels: Tensor = rows.unflatten(2, (rows.shape[2] // panel, panel)).transpose(1, 2).contiguous()
        return panels

    def packed_reference(
        self, x: Tensor, packed: Tensor, bias: Tensor | None, out_channels: int, negative_slope: float
    ) -> Tensor:
        """The packed op in plain PyTorch: the weight is unpacked."""
        weight = self.of_products(packed.transpose(1, 2).flatten(2)[..., :out_channels], x)
        bias = None if bias is None else bias.to(packed.dtype)
        result: Tensor = self.reference(x.to(packed.dtype), weight, bias, negative_slope).to(x.dtype)
        return result

    def _empty(self, x: Tensor, channels: int) -> Tensor:
        return x.new_empty(self.out_shape(x, channels)).contiguous(memory_format=memory_format_of(x))

    def _fake_pack(self, weight: Tensor) -> Tensor:
        dtype = _compute_dtype(weight)
        panel = _PANEL_BYTES // dtype.itemsize
        products, depth = self.products_shape(weight)
        return weight.new_empty((products, (weight.shape[0] + panel - 1) // panel, depth, panel), dtype=dtype)

    def _backward(self, ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, weight, output = ctx.saved_tensors
        if output is not None:
            grad = torch.where(output > 0, grad, grad * ctx.negative_slope)
        with torch.enable_grad():
            x, weight = x.detach().requires_grad_(), weight.detach().requires_grad_()
            value = self.reference(x, weight, None, 1.0)
        grad_x, grad_weight = torch.autograd.grad(value, (x, weight), grad)
        across = (0, *range(2, grad.dim()))
        return grad_x, grad_weight, grad.sum(dim=across) if ctx.has_bias else None, None


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, ctx.negative_slope = inputs
    ctx.has_bias = bias is not None
    # The sign of the output is that of what went into the LeakyReLU.
    ctx.save_for_backward(x, weight, output if ctx.negative_slope != 1 else None)


def _compute_dtype(tensor: Tensor) -> torch.dtype:
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32
