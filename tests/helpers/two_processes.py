"""The same work in two processes that share a batch of four rows, for comparison with one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, distributed, multiprocessing, nn

Result = tuple[Tensor, ...]


def run(make: Callable[[], nn.Module], x: Tensor, weights: Tensor, folder: Path) -> list[Result]:
    """Output, gradient and buffers of a module in training, for each half of the batch.

    Args:
        make: the module's class or another picklable function.
        x: (4, ...).
        weights: (2, ...); the loss of each half is sum(y · weights).
        folder: an empty one.
    """
    with multiprocessing.Manager() as manager:
        results = manager.dict()
        multiprocessing.spawn(_half, (str(folder / "store"), make, x, weights, results), nprocs=2)
        return [results[0], results[1]]


def _half(
    rank: int, store: str, make: Callable[[], nn.Module], x: Tensor, weights: Tensor, results: dict[int, Result]
) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    torch.manual_seed(3)
    module = make().train()
    half = x[rank * 2 : rank * 2 + 2].clone().requires_grad_()
    y = module(half)
    (y * weights).sum().backward()
    results[rank] = (y.detach(), half.grad, *module.buffers())
    distributed.destroy_process_group()
