"""What `conv_lstm_gates` and `conv3d_lstm_gates` share: they differ in the output gate alone.

An op of either has two companions: ``NAME_`` overwrites the cell state, ``NAME_backward`` is the gradient.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from jc3d.ops._checks import check_float_tensor, describe
from jc3d.ops._library import register
from jc3d.ops._memory_format import memory_format_of


class Gates(NamedTuple):
    """Activated gates, each (N, C, *S); ``output`` is None without an output gate."""

    input: Tensor
    forget: Tensor
    cell: Tensor
    output: Tensor | None


class LstmGates:
    """One of the two ops.

    Args:
        name: of the op.
        output_gate: whether there is a fourth gate.

    Attributes:
        count: of the gates.
        forward_op: the op itself, whose arguments are not checked; its last says whether the gates are kept.
        inplace_op: the one that overwrites ``c``.
        backward_op: the gradient.
    """

    def __init__(self, name: str, output_gate: bool) -> None:
        self.name = name
        self.output_gate = output_gate
        self.count = 4 if output_gate else 3
        inputs = "Tensor x_gates, Tensor? h_gates, Tensor? bias"
        register(
            f"{name}_backward",
            "(Tensor? grad_h, Tensor? grad_c, Tensor gates, Tensor? c_prev, Tensor c, bool want_bias)"
            " -> (Tensor grad_gates, Tensor grad_c_prev, Tensor grad_bias)",
            reference=self.backward_ref,
            fake=self._fake_backward,
            backward=self._no_second_derivative,
            listed=False,
        )
        register(
            name,
            f"({inputs}, Tensor? c_prev, bool save_gates) -> (Tensor h, Tensor c, Tensor gates)",
            reference=self.forward_ref,
            fake=self._fake,
            backward=self._backward,
            setup_context=self._setup_context,
        )
        register(
            f"{name}_",
            f"({inputs}, Tensor(a!) c) -> Tensor h",
            reference=self.inplace_ref,
            fake=self._fake_inplace,
            listed=False,
        )
        self.forward_op = getattr(torch.ops.jc3d, name)
        self.inplace_op = getattr(torch.ops.jc3d, f"{name}_")
        self.backward_op = getattr(torch.ops.jc3d, f"{name}_backward")

    def __call__(
        self, x_gates: Tensor, h_gates: Tensor | None, bias: Tensor | None, c_prev: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Checks the arguments and runs the op; what the gradient needs is kept only where there will be one."""
        self._check(x_gates, h_gates, bias, "c_prev", c_prev)
        tensors = (x_gates, h_gates, bias, c_prev)
        save = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)
        h, c, _ = self.forward_op(x_gates, h_gates, bias, c_prev, save)
        return h, c

    def inplace(self, x_gates: Tensor, h_gates: Tensor | None, bias: Tensor | None, c: Tensor) -> Tensor:
        """Checks the arguments and runs the op that overwrites ``c``."""
        self._check(x_gates, h_gates, bias, "c", c)
        if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x_gates, h_gates, bias, c)):
            raise ValueError(f"{self.name}_: expected no gradients (torch.no_grad), got a tensor that requires one")
        if memory_format_of(c) != memory_format_of(x_gates) or not c.is_contiguous(memory_format=memory_format_of(c)):
            raise ValueError(f"c: expected the memory format of x_gates, got strides {c.stride()}")
        if not torch.compiler.is_compiling() and not c.is_inference():
            # A backward pass that kept the old state must say so; the dispatcher counts this for its own ops alone.
            torch.autograd.graph.increment_version(c)
        h: Tensor = self.inplace_op(x_gates, h_gates, bias, c)
        return h

    # The specification of the kernels ------------------------------------------------------------------------------

    def forward_ref(
        self, x_gates: Tensor, h_gates: Tensor | None, bias: Tensor | None, c_prev: Tensor | None, save_gates: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The op in plain PyTorch: h, c and the activated gates (an empty tensor unless ``save_gates``)."""
        dtype, format_ = x_gates.dtype, memory_format_of(x_gates)
        gates = self._activated(x_gates, h_gates, bias)
        c = gates.input * gates.cell
        if c_prev is not None:
            c = gates.forget * _wide(c_prev) + c
        h = torch.tanh(c) if gates.output is None else gates.output * torch.tanh(c)
        saved = torch.cat([gate for gate in gates if gate is not None], dim=1) if save_gates else x_gates.new_empty(0)
        results = [tensor.to(dtype) for tensor in (h, c, saved)]
        h, c = (tensor.contiguous(memory_format=format_) for tensor in results[:2])
        return h, c, results[2].contiguous(memory_format=format_) if save_gates else results[2]

    def inplace_ref(self, x_gates: Tensor, h_gates: Tensor | None, bias: Tensor | None, c: Tensor) -> Tensor:
        """The op in plain PyTorch: h; ``c`` is overwritten."""
        h, new_c, _ = self.forward_ref(x_gates, h_gates, bias, c, False)
        c.copy_(new_c)
        return h

    def backward_ref(
        self,
        grad_h: Tensor | None,
        grad_c: Tensor | None,
        gates: Tensor,
        c_prev: Tensor | None,
        c: Tensor,
        want_bias: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The gradient in plain PyTorch, from activated gates (N, gates * C, *S)."""
        dtype, format_ = gates.dtype, memory_format_of(gates)
        i, f, g, *rest = _wide(gates).chunk(self.count, dim=1)
        zero = torch.zeros_like(i)
        grad_h = zero if grad_h is None else _wide(grad_h)
        grad_c = zero if grad_c is None else _wide(grad_c)
        tanh_c = torch.tanh(_wide(c))
        total = (grad_h * rest[0] if rest else grad_h) * (1 - tanh_c * tanh_c) + grad_c
        parts = [
            total * g * (i * (1 - i)),
            zero if c_prev is None else total * _wide(c_prev) * (f * (1 - f)),
            total * i * (1 - g * g),
        ]
        if rest:
            parts.append(grad_h * tanh_c * (rest[0] * (1 - rest[0])))
        grad_gates = torch.cat(parts, dim=1).to(dtype).contiguous(memory_format=format_)
        grad_c_prev, grad_bias = gates.new_empty(0), gates.new_empty(0)
        if c_prev is not None:
            grad_c_prev = (total * f).to(dtype).contiguous(memory_format=format_)
        if want_bias:
            grad_bias = _wide(grad_gates).transpose(0, 1).flatten(1).sum(1).to(dtype)
        return grad_gates, grad_c_prev, grad_bias

    def _activated(self, x_gates: Tensor, h_gates: Tensor | None, bias: Tensor | None) -> Gates:
        total = _wide(x_gates)
        if h_gates is not None:
            total = total + _wide(h_gates)
        if bias is not None:
            total = total + _wide(bias).view(-1, *[1] * (x_gates.dim() - 2))
        i, f, g, *rest = total.chunk(self.count, dim=1)
        return Gates(i.sigmoid(), f.sigmoid(), g.tanh(), rest[0].sigmoid() if rest else None)

    # Arguments -----------------------------------------------------------------------------------------------------

    def _check(
        self, x_gates: Tensor, h_gates: Tensor | None, bias: Tensor | None, c_name: str, c: Tensor | None
    ) -> None:
        check_float_tensor("x_gates", x_gates)
        if x_gates.dim() < 2:
            raise ValueError(f"x_gates: expected (N, {self.count}C, ...), got {tuple(x_gates.shape)}")
        if x_gates.shape[1] % self.count:
            raise ValueError(f"x_gates: expected a multiple of {self.count} channels, got {x_gates.shape[1]}")
        batch, channels, *space = x_gates.shape
        expected = {
            "h_gates": (h_gates, tuple(x_gates.shape)),
            "bias": (bias, (channels,)),
            c_name: (c, (batch, channels // self.count, *space)),
        }
        for name, (tensor, shape) in expected.items():
            if tensor is None:
                continue
            check_float_tensor(name, tensor)
            if tensor.dtype != x_gates.dtype:
                raise TypeError(f"{name}: expected {describe(x_gates)} like x_gates, got {describe(tensor)}")
            if tensor.device != x_gates.device:
                raise ValueError(f"{name}: expected a tensor on {x_gates.device}, got one on {tensor.device}")
            if tuple(tensor.shape) != shape:
                raise ValueError(f"{name}: expected {shape}, got {tuple(tensor.shape)}")

    # What the dispatcher and autograd ask for ----------------------------------------------------------------------

    def _states_like(self, gates: Tensor) -> Tensor:
        shape = (gates.shape[0], gates.shape[1] // self.count, *gates.shape[2:])
        format_ = memory_format_of(gates)
        return torch.empty(shape, dtype=gates.dtype, device=gates.device, memory_format=format_)

    def _fake(
        self, x_gates: Tensor, h_gates: Tensor | None, bias: Tensor | None, c_prev: Tensor | None, save_gates: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        saved = torch.empty_like(x_gates, memory_format=memory_format_of(x_gates)) if save_gates else None
        h, c = self._states_like(x_gates), self._states_like(x_gates)
        return h, c, x_gates.new_empty(0) if saved is None else saved

    def _fake_inplace(self, x_gates: Tensor, h_gates: Tensor | None, bias: Tensor | None, c: Tensor) -> Tensor:
        return self._states_like(x_gates)

    def _fake_backward(
        self,
        grad_h: Tensor | None,
        grad_c: Tensor | None,
        gates: Tensor,
        c_prev: Tensor | None,
        c: Tensor,
        want_bias: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        grad_c_prev = gates.new_empty(0) if c_prev is None else self._states_like(gates)
        grad_bias = gates.new_empty(gates.shape[1] if want_bias else 0)
        return torch.empty_like(gates, memory_format=memory_format_of(gates)), grad_c_prev, grad_bias

    def _setup_context(self, ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        *_, c_prev, save_gates = inputs
        if not save_gates:
            raise RuntimeError(f"{self.name}: expected save_gates=True where a gradient is wanted, got False")
        _, c, gates = output
        ctx.mark_non_differentiable(gates)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(gates, c_prev, c)

    def _backward(self, ctx: Any, grad_h: Tensor | None, grad_c: Tensor | None, _: Any) -> tuple[Tensor | None, ...]:
        want_x, want_h, want_bias, want_c_prev, _ = ctx.needs_input_grad
        if grad_h is None and grad_c is None:
            return None, None, None, None, None
        gates, c_prev, c = ctx.saved_tensors
        grad_gates, grad_c_prev, grad_bias = self.backward_op(grad_h, grad_c, gates, c_prev, c, want_bias)
        return (
            grad_gates if want_x else None,
            grad_gates if want_h else None,
            grad_bias if want_bias else None,
            grad_c_prev if want_c_prev else None,
            None,
        )

    def _no_second_derivative(self, ctx: Any, *grads: Tensor) -> None:
        raise RuntimeError(f"{self.name}: second derivatives are not implemented")


def _wide(x: Tensor) -> Tensor:
    """What the kernels compute in: float32, and float64 for float64."""
    return x if x.dtype == torch.float64 else x.float()
