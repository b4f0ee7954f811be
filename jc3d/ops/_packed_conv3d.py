"""What upsample_conv3d and winograd_conv3d share: a 3³ convolution whose weight is packed for a kernel."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.ops._checks import check_float_tensor, describe
from jc3d.ops._library import register
from jc3d.ops._memory_format import memory_format_of

_PANEL_BYTES = 128  # columns of a packed matrix that lie together, csrc/kernels/panel_product.h

# A GPU has cuDNN; nothing of ours was measured against it yet.
_WITHOUT_CUDA = "PyTorch's own convolutions run on a GPU"

_Matrix = tuple[tuple[float, ...], ...]


class PackedConv3d:
    """An op and its companions ``NAME_pack`` and ``NAME_packed``.

    Args:
        name: of the op.
        scale: 2 if the grid is doubled by nearest neighbours first, else 1.
        products: the kernel's products along an axis, of the three taps, (P, 3).
        taps: the taps, of the products: a left inverse, (3, P).
    """

    def __init__(self, name: str, scale: int, products: _Matrix, taps: _Matrix) -> None:
        self.name = name
        self.scale = scale
        self.products = products
        self.taps = taps
        register(
            name,
            "(Tensor x, Tensor weight, Tensor? bias, float negative_slope) -> Tensor",
            reference=self.reference,
            fake=lambda x, weight, bias, negative_slope: self._empty(x, weight.shape[0]),
            backward=self._backward,
            setup_context=_setup_context,
            without_cuda=_WITHOUT_CUDA,
        )
        register(
            f"{name}_pack",
            "(Tensor weight) -> Tensor",
            reference=self.pack_reference,
            fake=self._fake_pack,
            listed=False,
            without_cuda=_WITHOUT_CUDA,
        )
        register(
            f"{name}_packed",
            "(Tensor x, Tensor packed, Tensor? bias, int out_channels, float negative_slope) -> Tensor",
            reference=self.packed_reference,
            fake=lambda x, packed, bias, out_channels, negative_slope: self._empty(x, out_channels),
            listed=False,
            without_cuda=_WITHOUT_CUDA,
        )

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None, negative_slope: float) -> Tensor:
        """Checks the arguments and runs the op."""
        check_float_tensor("x", x)
        _check_shape("x", x, (None, None, None, None, None))
        _check("weight", weight, x, (None, x.shape[1], 3, 3, 3))
        if bias is not None:
            _check("bias", bias, x, (weight.shape[0],))
        if not negative_slope > 0:
            raise ValueError(f"negative_slope: expected more than 0, got {negative_slope}")
        result: Tensor = getattr(torch.ops.jc3d, self.name)(x, weight, bias, negative_slope)
        return result

    def pack(self, weight: Tensor) -> Tensor:
        """(out, in, 3, 3, 3) -> (P³, ceil(out / p), in, p), p = 128 bytes of columns."""
        packed: Tensor = getattr(torch.ops.jc3d, f"{self.name}_pack")(weight)
        return packed

    def packed(self, x: Tensor, packed: Tensor, bias: Tensor | None, out_channels: int, slope: float) -> Tensor:
        """The op with a weight that is packed; no gradient."""
        result: Tensor = getattr(torch.ops.jc3d, f"{self.name}_packed")(x, packed, bias, out_channels, slope)
        return result

    def reference(self, x: Tensor, weight: Tensor, bias: Tensor | None, negative_slope: float) -> Tensor:
        """The op in plain PyTorch: the specification of the kernels."""
        if x.numel():
            grid = F.interpolate(x, scale_factor=2.0) if self.scale == 2 else x
            result = F.conv3d(grid, weight, bias, padding=1)
        else:  # torch's convolution wants a cell to look at
            result = x.new_zeros(self._out_shape(x, weight.shape[0])) + (0 if bias is None else bias.view(-1, 1, 1, 1))
        result = F.leaky_relu(result, negative_slope)
        return result.contiguous(memory_format=memory_format_of(x))

    def pack_reference(self, weight: Tensor) -> Tensor:
        """The packing in plain PyTorch."""
        out_channels, in_channels = weight.shape[:2]
        weight = weight.to(_compute_dtype(weight))
        matrix = torch.tensor(self.products, dtype=weight.dtype, device=weight.device)
        packed = torch.einsum("pa,qb,rc,oiabc->pqrio", matrix, matrix, matrix, weight)
        panel = _PANEL_BYTES // weight.dtype.itemsize
        rows = F.pad(packed.reshape(len(matrix) ** 3, in_channels, out_channels), (0, -out_channels % panel))
        panels: Tensor = rows.unflatten(2, (rows.shape[2] // panel, panel)).transpose(1, 2).contiguous()
        return panels

    def packed_reference(
        self, x: Tensor, packed: Tensor, bias: Tensor | None, out_channels: int, negative_slope: float
    ) -> Tensor:
        """The packed op in plain PyTorch: the weight is unpacked."""
        matrix = torch.tensor(self.taps, dtype=packed.dtype, device=packed.device)
        count = len(self.products)
        products = packed.transpose(1, 2).flatten(2)[..., :out_channels].unflatten(0, (count, count, count))
        weight = torch.einsum("ap,bq,cr,pqrio->oiabc", matrix, matrix, matrix, products)
        bias = None if bias is None else bias.to(packed.dtype)
        result: Tensor = self.reference(x.to(packed.dtype), weight, bias, negative_slope).to(x.dtype)
        return result

    def _out_shape(self, x: Tensor, channels: int) -> tuple[int, ...]:
        return (x.shape[0], channels, *(self.scale * size for size in x.shape[2:]))

    def _empty(self, x: Tensor, channels: int) -> Tensor:
        return x.new_empty(self._out_shape(x, channels)).contiguous(memory_format=memory_format_of(x))

    def _fake_pack(self, weight: Tensor) -> Tensor:
        dtype = _compute_dtype(weight)
        panel = _PANEL_BYTES // dtype.itemsize
        shape = (len(self.products) ** 3, (weight.shape[0] + panel - 1) // panel, weight.shape[1], panel)
        return weight.new_empty(shape, dtype=dtype)

    def _backward(self, ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, weight, output = ctx.saved_tensors
        if output is not None:
            grad = torch.where(output > 0, grad, grad * ctx.negative_slope)
        with torch.enable_grad():
            x, weight = x.detach().requires_grad_(), weight.detach().requires_grad_()
            value = self.reference(x, weight, None, 1.0)
        grad_x, grad_weight = torch.autograd.grad(value, (x, weight), grad)
        return grad_x, grad_weight, grad.sum(dim=(0, 2, 3, 4)) if ctx.has_bias else None, None


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, ctx.negative_slope = inputs
    ctx.has_bias = bias is not None
    # The sign of the output is that of what went into the LeakyReLU.
    ctx.save_for_backward(x, weight, output if ctx.negative_slope != 1 else None)


def _compute_dtype(tensor: Tensor) -> torch.dtype:
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32


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
