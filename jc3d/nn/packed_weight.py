"""What inference computes of weights once: the order of the CPU kernels, a folded kernel."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.ops import is_compiled


class DerivedWeight:
    """What is computed of a frozen weight once, and anew whenever it has been replaced or written to.

    Only of weights that require no gradient, as fused optimizers write to the others and leave no trace of it, and not
    of those made in inference mode, which keep no count of what is written to them.

    Args:
        derive: from the weight to what is kept.
    """

    def __init__(self, derive: Callable[[Tensor], Tensor]) -> None:
        self._derive = derive
        # One attribute, so that a thread which reads it while another derives sees what belongs together: an alias of
        # the weight, which keeps its address from being used again, its version, and what was derived.
        self._last: tuple[Tensor, int, Tensor] | None = None

    def keeps(self, weight: Tensor) -> bool:
        """Whether it may be kept."""
        return not (weight.requires_grad or weight.is_inference() or torch.compiler.is_compiling())

    def of(self, weight: Tensor) -> Tensor:
        """What is derived of the weight; kept where it may be."""
        if not self.keeps(weight):
            self.forget()
            return self._derive(weight)
        last, version = self._last, weight._version
        if last is None or last[0].data_ptr() != weight.data_ptr() or last[1] != version:
            last = self._last = weight.detach(), version, self._derive(weight.detach())
        return last[2]

    def forget(self) -> None:
        """Nothing is kept: the weight may be written to without a trace."""
        self._last = None


class PackedWeight:
    """A frozen weight in the order of a CPU kernel.

    Args:
        op: whose kernel it is for.
        pack: from the weight to its packed form.
    """

    def __init__(self, op: str, pack: Callable[[Tensor], Tensor]) -> None:
        self._op = op
        self._weight = DerivedWeight(pack)

    def for_input(self, x: Tensor, weight: Tensor) -> Tensor | None:
        """The packed form, or None where :meth:`serves` says no."""
        if self.serves(x, weight):
            return self._weight.of(weight)
        if weight.requires_grad:
            self._weight.forget()
        return None

    def serves(self, x: Tensor, weight: Tensor) -> bool:
        """Whether a CPU kernel runs: not in training, under autocast, in other dtypes, or where none was built."""
        return self._weight.keeps(weight) and suits_kernels(x, weight) and is_compiled(self._op, "cpu")


def suits_kernels(x: Tensor, weight: Tensor) -> bool:
    """Whether this is inference in float32 on a CPU, neither under autocast nor traced for a compiler or an export."""
    on_cpu = x.device.type == "cpu" and weight.device.type == "cpu"
    plain = not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling()
    return on_cpu and plain and x.dtype == weight.dtype == torch.float32


def leaky_relu(x: Tensor, negative_slope: float) -> Tensor:
    """As torch's; a slope of 1 is none."""
    return x if negative_slope == 1 else F.leaky_relu(x, negative_slope)
