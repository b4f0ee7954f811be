"""voxel_iou_packed against a table of bit counts in plain PyTorch and numpy's bitwise_count."""

import numpy as np
import pytest
import torch

from jc3d.ops import voxel_iou_packed
from jc3d.ops.voxel_iou_packed import voxel_iou_packed_ref

BATCHES = (1, 6, 64, 16384, 65536)


def numpy_iou(a, b):
    a, b = a.numpy(), b.numpy()
    axes = (-3, -2, -1)
    intersection = np.bitwise_count(a & b).sum(axes, dtype=np.int64)
    union = np.bitwise_count(a | b).sum(axes, dtype=np.int64)
    iou = np.where(union > 0, intersection / np.maximum(union, 1), 1.0).astype(np.float32)
    return tuple(map(torch.from_numpy, (iou, intersection, union)))


@pytest.mark.parametrize("contender", ["ours", "eager", "numpy"])
@pytest.mark.parametrize("batch", BATCHES)
def bench_voxel_iou_packed(measure, benchmark, device, contender, batch):
    if contender == "numpy" and (device != "cpu" or not hasattr(np, "bitwise_count")):
        pytest.skip("numpy 2 on a CPU alone")
    benchmark.group = f"voxel_iou_packed {(batch, 32, 32, 4)} {device}"
    torch.manual_seed(0)
    a, b = (torch.randint(256, (batch, 32, 32, 4), dtype=torch.uint8).to(device) for _ in range(2))
    run = {"ours": voxel_iou_packed, "eager": voxel_iou_packed_ref, "numpy": numpy_iou}[contender]
    for result, expected in zip(run(a, b), voxel_iou_packed(a, b), strict=True):
        assert torch.equal(result, expected)
    measure(run, a, b, num_bytes=2 * a.numel())
