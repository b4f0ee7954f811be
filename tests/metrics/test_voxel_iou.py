"""metrics.VoxelIoU: a mean over objects, the same in two processes as in one."""

from pathlib import Path

import pytest
import torch
import voxel_iou_shares
from torch import multiprocessing

from jc3d.metrics import iou

pytest.importorskip("torchmetrics")
from jc3d.metrics import VoxelIoU


def test_mean_over_objects_of_all_batches() -> None:
    prob, target = voxel_iou_shares.grids(7)
    metric = VoxelIoU()
    metric.update(prob[:3], target[:3])
    metric.update(prob[3:], target[3:])
    assert metric.compute().item() == pytest.approx(iou(prob, target).mean().item(), abs=1e-7)
    metric.reset()
    metric.update(prob[:1], target[:1])
    assert metric.compute() == iou(prob[:1], target[:1])


def test_several_thresholds_and_logits() -> None:
    prob, target = voxel_iou_shares.grids(3)
    metric = VoxelIoU(threshold=[0.3, 0.4], logits=True)
    assert metric(torch.logit(prob.double()), target).shape == (2,)
    expected = torch.stack([iou(prob, target, tau).mean() for tau in (0.3, 0.4)])
    torch.testing.assert_close(metric.compute(), expected)


def test_wrong_rank() -> None:
    prob, target = voxel_iou_shares.grids(1)
    with pytest.raises(ValueError, match=r"prob: expected \(B, X, Y, Z\), got \(8, 8, 8\)"):
        VoxelIoU().update(prob[0], target[0])


def test_two_processes(tmp_path: Path) -> None:
    with multiprocessing.Manager() as manager:
        results = manager.dict()
        multiprocessing.spawn(voxel_iou_shares.one_of_two, (str(tmp_path / "store"), results), nprocs=2)
        expected = iou(*voxel_iou_shares.grids(7)).mean().item()
        assert results[0] == results[1] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("threshold", "error"), [("0.4", TypeError), (float("nan"), ValueError), ([0.4, 2], ValueError)]
)
def test_a_bad_threshold_is_refused_at_once(threshold: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="threshold: expected a number"):
        VoxelIoU(threshold, logits=True)
