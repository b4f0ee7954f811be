"""The optimizer that training uses: Muon for the kernels and matrices, AdamW for the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

_SMALLEST_SIDE = 8  # below this a kernel has too few directions to balance: the layers that tell logits


def is_matrix(parameter: Tensor) -> bool:
    """Whether it suits Muon: a matrix, or a kernel as the matrix of its output channels by all that they sum over."""
    return parameter.dim() > 1 and min(len(parameter), parameter[0].numel()) >= _SMALLEST_SIDE


def has_bfloat16_products(device: torch.device) -> bool:
    """Whether it multiplies bfloat16 in hardware; where it does not, a matrix product is tens of times slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Where torch cannot tell, float32 is right.
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)() if device.type == "cpu" else {}
    return any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))


class Float32Muon(torch.optim.Muon):
    """torch's Muon with products in float32 instead of bfloat16.

    Args:
        params: matrices.
        settings: as of torch's Muon; its steps have the sizes of AdamW's.
    """

    def __init__(self, params: Iterable[Tensor], **settings: Any) -> None:
        super().__init__(params, **settings, adjust_lr_fn="match_rms_adamw")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; a closure is not called."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state, momentum = self.state[matrix], group["momentum"]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(matrix)
                state["momentum_buffer"].lerp_(matrix.grad, 1 - momentum)
                average = state["momentum_buffer"]
                direction = matrix.grad.lerp(average, momentum) if group["nesterov"] else average
                orthogonal = _orthogonal(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(orthogonal, alpha=-group["lr"] * 0.2 * math.sqrt(max(matrix.shape)))


def _orthogonal(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, smallest: float) -> Tensor:
    """The matrix with singular values of about one, by Newton and Schulz's iteration on its wide form."""
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp(min=smallest)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class MuonAdamW(torch.optim.Optimizer):
    """Muon and AdamW as one, so that one schedule, one checkpoint and one closure serve both.

    Muon (Jordan et al., 2024) makes every singular value of a matrix's step about one, so that the directions that
    gradients seldom point to are learned as fast as the others. Its steps are scaled to AdamW's size (Liu et al., *Muon
    is scalable for LLM training*, 2025), so both take the same learning rates and decays. Its products are in float32
    on machines that emulate bfloat16, so processes that train together run on machines of one kind.

    Args:
        groups: dicts of ``params``, ``lr``, ``weight_decay`` and ``muon``: whether these are all matrices, and Muon's.
    """

    def __init__(self, groups: Iterable[dict[str, Any]]) -> None:
        super().__init__(list(groups), defaults={})
        self._of_group: list[torch.optim.Optimizer] = []
        self._views: list[tuple[nn.Parameter, Tensor]] = []
        for group in self.param_groups:
            parameters: list[nn.Parameter] = group["params"]
            settings = {"lr": group["lr"], "weight_decay": group["weight_decay"]}
            if group["muon"]:
                views = [nn.Parameter(parameter.detach().view(len(parameter), -1)) for parameter in parameters]
                self._views += zip(views, parameters, strict=True)
                if all(has_bfloat16_products(view.device) for view in views):
                    self._of_group.append(torch.optim.Muon(views, **settings, adjust_lr_fn="match_rms_adamw"))
                else:
                    self._of_group.append(Float32Muon(views, **settings))
            else:
                self._of_group.append(torch.optim.AdamW(parameters, **settings, fused=True))

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of both, by the learning rates that the groups have now."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for view, parameter in self._views:
            view.grad = None if parameter.grad is None else parameter.grad.flatten(1)
        for group, optimizer in zip(self.param_groups, self._of_group, strict=True):
            optimizer.param_groups[0]["lr"] = group["lr"]
            optimizer.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """What both hold."""
        return super().state_dict() | {"of_group": [optimizer.state_dict() for optimizer in self._of_group]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The reverse of :meth:`state_dict`."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "of_group"})
        for optimizer, state in zip(self._of_group, state_dict["of_group"], strict=True):
            optimizer.load_state_dict(state)
