"""Weights in the order of the CPU kernels, packed at the first call."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


class PackedWeight:
    """Packs a weight, and anew whenever it has been replaced or written to.

    Args:
        pack: from the weight to its packed form.
    """

    def __init__(self, pack: Callable[[Tensor], Tensor]) -> None:
        self._pack = pack
        self._key: tuple[int, int] | None = None
        self._packed: Tensor | None = None

    def of(self, weight: Tensor) -> Tensor:
        """The packed form of the weight."""
        key = (weight.data_ptr(), 0 if weight.is_inference() else weight._version)
        if self._packed is None or self._key != key:
            self._key, self._packed = key, self._pack(weight.detach())
        return self._packed


def runs_packed(x: Tensor, weight: Tensor) -> bool:
    """Whether a convolution goes through a CPU kernel: in float32, without gradients, and not while it is exported."""
    on_cpu = x.device.type == "cpu" and weight.device.type == "cpu"
    plain = not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling()
    return on_cpu and plain and x.dtype == weight.dtype == torch.float32


def leaky_relu(x: Tensor, negative_slope: float) -> Tensor:
    """As torch's; a slope of 1 is none."""
    return x if negative_slope == 1 else F.leaky_relu(x, negative_slope)
