"""The decoder's last layer: logits of empty and occupied, and the probability of occupied."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.ops._checks import check_float_tensor, check_like, check_shape
from jc3d.ops._library import register
from jc3d.ops._packed_conv import WITHOUT_CUDA


def occupancy_head(x: Tensor, weight: Tensor, bias: Tensor, doubled: bool = False) -> Tensor:
    """A 3³ convolution with padding 1 to two logits, and the softmax's second: the probability of *occupied*.

    The softmax of two is the sigmoid of their difference, so one channel is computed. 16-bit types are computed in
    float32 on the CPU and rounded once.

    Args:
        x: (N, in, D, H, W); float32, float64, bfloat16 or float16. Channels-last is read without a copy.
        weight: (2, in, 3, 3, 3).
        bias: (2,).
        doubled: the grid is doubled by nearest neighbours before the convolution.

    Returns:
        (N, D, H, W), or (N, 2D, 2H, 2W) if ``doubled``, in the dtype of ``x``, in [0, 1].

    Raises:
        TypeError: not a tensor of one of these dtypes, or dtypes differ.
        ValueError: shapes that do not fit.

    Source:
        Golts & Schechner, §II-C, eq. 15's probabilities.
    """
    check_float_tensor("x", x)
    check_shape("x", x, (None,) * 5)
    check_like("weight", weight, x)
    check_shape("weight", weight, (2, x.shape[1], 3, 3, 3))
    check_like("bias", bias, x)
    check_shape("bias", bias, (2,))
    result: Tensor = torch.ops.jc3d.occupancy_head(x, weight, bias, doubled)
    return result


def occupancy_head_ref(x: Tensor, weight: Tensor, bias: Tensor, doubled: bool) -> Tensor:
    """The op in plain PyTorch: the specification of the kernel."""
    if x.numel() == 0:  # torch's convolution wants a cell to look at
        return x.new_zeros(_out_shape(x, doubled)) + torch.sigmoid(bias[1] - bias[0])
    grid = F.interpolate(x, scale_factor=2.0) if doubled else x
    margin = F.conv3d(grid, weight[1:] - weight[:1], bias[1:] - bias[:1], padding=1)
    return torch.sigmoid(margin[:, 0]).contiguous()


def _out_shape(x: Tensor, doubled: bool) -> tuple[int, ...]:
    return (x.shape[0], *(size * (2 if doubled else 1) for size in x.shape[2:]))


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, ctx.doubled = inputs
    ctx.save_for_backward(x, weight, bias)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
    with torch.enable_grad():
        x, weight, bias = (tensor.detach().requires_grad_() for tensor in ctx.saved_tensors)
        value = occupancy_head_ref(x, weight, bias, ctx.doubled)
    grad_x, grad_weight, grad_bias = torch.autograd.grad(value, (x, weight, bias), grad)
    return grad_x, grad_weight, grad_bias, None


register(
    "occupancy_head",
    "(Tensor x, Tensor weight, Tensor bias, bool doubled) -> Tensor",
    reference=occupancy_head_ref,
    fake=lambda x, weight, bias, doubled: x.new_empty(_out_shape(x, doubled)),
    backward=_backward,
    setup_context=_setup_context,
    without_cuda=WITHOUT_CUDA,
)
