"""voxel_iou against the count in plain PyTorch, torch.compile of it, and numpy."""

import numpy as np
import pytest
import torch
from compiled import compiled

from jc3d.ops import voxel_iou

BATCHES = (1, 6, 64, 2048)


def eager(prob, target):
    ours = prob > 0.4
    intersection = (ours & target).sum(dim=(-3, -2, -1))
    union = (ours | target).sum(dim=(-3, -2, -1))
    return torch.where(union > 0, intersection / union.clamp(min=1), 1.0), intersection, union


def numpy_iou(prob, target):
    ours, theirs = prob.numpy() > 0.4, target.numpy()
    axes = (-3, -2, -1)
    intersection, union = np.logical_and(ours, theirs).sum(axes), np.logical_or(ours, theirs).sum(axes)
    iou = np.where(union > 0, intersection / np.maximum(union, 1), 1.0).astype(np.float32)
    return tuple(map(torch.from_numpy, (iou, intersection, union)))


def ours(prob, target):
    return voxel_iou(prob, target, 0.4)


def several(prob, target):
    """Four thresholds at once."""
    return voxel_iou(prob, target, [0.3, 0.4, 0.5, 0.6])


@pytest.mark.parametrize("contender", ["ours", "several", "eager", "compile", "numpy"])
@pytest.mark.parametrize("batch", BATCHES)
def bench_voxel_iou(measure, benchmark, device, contender, batch):
    if contender == "numpy" and device != "cpu":
        pytest.skip("numpy has no CUDA arrays")
    benchmark.group = f"voxel_iou {(batch, 32, 32, 32)} {device}"
    torch.manual_seed(0)
    prob = torch.rand(batch, 32, 32, 32).to(device)
    target = prob.roll(1, -1) > 0.6
    runs = {"ours": ours, "several": several, "eager": eager, "numpy": numpy_iou}
    run = compiled(eager) if contender == "compile" else runs[contender]
    for result, expected in zip(run(prob, target), ours(prob, target), strict=True):
        torch.testing.assert_close(result[1] if contender == "several" else result, expected)
    measure(run, prob, target, num_bytes=prob.numel() * 5)
