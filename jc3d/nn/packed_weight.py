"""Weights in the order of a CPU kernel, packed once they are frozen."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.nn.freezable import Freezable
from jc3d.ops import is_compiled


class PackingModule(Freezable):
    """A module that a CPU kernel can run, with its weight in the order of the kernel once it is frozen."""

    def packed(self, op: str, x: Tensor, weight: Tensor, pack: Callable[[Tensor], Tensor]) -> Tensor | None:
        """The weight as the kernel of an op reads it; None where :meth:`runs_kernel` says no."""
        return self.of_frozen(op, (weight,), lambda: pack(weight)) if self.runs_kernel(op, x, weight) else None

    def runs_kernel(self, op: str, x: Tensor, weight: Tensor) -> bool:
        """Whether a CPU kernel runs: frozen, in float32, neither for gradients, under autocast nor in a trace."""
        if torch.compiler.is_compiling():
            return False
        if weight.requires_grad:
            self._thaw()
        plain = not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
        on_cpu = x.device.type == "cpu" and weight.device.type == "cpu"
        fits = on_cpu and x.dtype == weight.dtype == torch.float32
        return self.frozen and plain and fits and not weight.is_inference() and is_compiled(op, "cpu")


def leaky_relu(x: Tensor, negative_slope: float) -> Tensor:
    """As torch's; a slope of 1 is none."""
    return x if negative_slope == 1 else F.leaky_relu(x, negative_slope)
