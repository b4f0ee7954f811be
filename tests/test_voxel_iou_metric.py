"""metrics.VoxelIoU: a mean over objects, the same in two processes as in one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed, multiprocessing

from jc3d.metrics import iou

pytest.importorskip("torchmetrics")
from jc3d.metrics import VoxelIoU


def grids(objects: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.rand(objects, 8, 8, 8), torch.rand(objects, 8, 8, 8) > 0.5


def test_mean_over_objects_of_all_batches() -> None:
    prob, target = grids(7)
    metric = VoxelIoU()
    metric.update(prob[:3], target[:3])
    metric.update(prob[3:], target[3:])
    assert metric.compute().item() == pytest.approx(iou(prob, target).mean().item(), abs=1e-7)
    metric.reset()
    metric.update(prob[:1], target[:1])
    assert metric.compute() == iou(prob[:1], target[:1])


def test_several_thresholds_and_logits() -> None:
    prob, target = grids(3)
    metric = VoxelIoU(threshold=[0.3, 0.4], logits=True)
    assert metric(torch.logit(prob.double()), target).shape == (2,)
    expected = torch.stack([iou(prob, target, tau).mean() for tau in (0.3, 0.4)])
    torch.testing.assert_close(metric.compute(), expected)


def test_wrong_rank() -> None:
    prob, target = grids(1)
    with pytest.raises(ValueError, match=r"prob: expected \(B, X, Y, Z\), got \(8, 8, 8\)"):
        VoxelIoU().update(prob[0], target[0])


def _one_of_two(rank: int, store: str, results: Any) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    prob, target = grids(7)
    share = slice(0, 3) if rank == 0 else slice(3, 7)  # of unequal size
    metric = VoxelIoU()
    metric.update(prob[share], target[share])
    results[rank] = metric.compute().item()
    distributed.destroy_process_group()


def test_two_processes(tmp_path: Path) -> None:
    with multiprocessing.Manager() as manager:
        results = manager.dict()
        multiprocessing.spawn(_one_of_two, (str(tmp_path / "store"), results), nprocs=2)
        expected = iou(*grids(7)).mean().item()
        assert results[0] == results[1] == pytest.approx(expected, abs=1e-7)
