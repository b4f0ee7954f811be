"""Batch normalisation whose statistics are those of the whole batch, however many processes share it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn


class _SumOverProcesses(torch.autograd.Function):
    """All-reduce whose gradient is the all-reduce of the gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.clone()
        distributed.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        grad = grads[0].clone()
        distributed.all_reduce(grad)
        return grad


def _sum(x: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(x)  # type: ignore[no-untyped-call]
    return total


class _WholeBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Torch's own kernel in one process; sums reduced over all processes in several.

    ``nn.SyncBatchNorm`` does the same on GPUs only; training with gloo on CPUs needs it too, or two processes would not
    follow the loss curve of one.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (N, C, ...)."""
        many = distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1
        if not (self.training and many):
            return super().forward(x)
        dims, shape = [0, *range(2, x.dim())], (1, -1) + (1,) * (x.dim() - 2)
        values = x.float()
        count = x.new_full((1,), x.numel() / x.shape[1], dtype=torch.float32)
        total, size = _sum(torch.cat((values.sum(dims), count))).split((x.shape[1], 1))
        mean = total / size
        # Squares of differences: the mean of squares less the square of the mean cancels where the mean is large.
        var = _sum((values - mean.view(shape)).square().sum(dims)) / size
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        with torch.no_grad():
            self.num_batches_tracked += 1
            # As in torch: without a momentum the running statistics are the mean over all batches.
            momentum = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(var * size / (size - 1), momentum)
        scale = self.weight * torch.rsqrt(var + self.eps)
        return torch.addcmul(self.bias.view(shape), values - mean.view(shape), scale.view(shape)).to(x.dtype)


@contextmanager
def recalibrated_norms(model: nn.Module) -> Iterator[None]:
    """Recomputes every norm's statistics (*precise BN*): the mean over the batches that run in the block.

    Frozen submodules keep their statistics and stay in eval mode.

    The running mean of training forgets all but its last few batches, and a batch of one view an object is small: a
    model that trains well can fail with it. Wu and Johnson, *Rethinking "Batch" in BatchNorm* (2021).
    """
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    for part in model.children():
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            part.eval()
    norms = [module for module in model.modules() if isinstance(module, _WholeBatchNorm) and module.training]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    try:
        with torch.no_grad():
            yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, mode in modes:
            module.training = mode


class BatchNorm2d(_WholeBatchNorm, nn.BatchNorm2d):
    """(N, C, H, W)."""


class BatchNorm3d(_WholeBatchNorm, nn.BatchNorm3d):
    """(N, C, D, H, W)."""
