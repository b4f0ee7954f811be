"""Seven objects, in one process or shared by two; a module of its own, so that spawned processes can import it."""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed


def grids(objects: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.rand(objects, 8, 8, 8), torch.rand(objects, 8, 8, 8) > 0.5


def one_of_two(rank: int, store: str, results: Any) -> None:
    from jc3d.metrics import VoxelIoU

    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    prob, target = grids(7)
    share = slice(0, 3) if rank == 0 else slice(3, 7)  # of unequal size
    metric = VoxelIoU()
    metric.update(prob[share], target[share])
    results[rank] = metric.compute().item()
    distributed.destroy_process_group()
