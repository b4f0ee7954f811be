import inspect

import numpy as np
import pytest
import torch

from jc3d.geometry.threshold import THRESHOLD
from jc3d.ops import IouCounts, voxel_iou
from jc3d.ops.voxel_iou import voxel_iou_ref

# (*B, X, Y, Z): the models' size, odd ones, one voxel, no batch, larger than a block of work, nothing.
SHAPES = [(3, 32, 32, 32), (2, 2, 5, 3, 7), (4, 4, 4), (1, 1, 1, 1), (2, 40, 40, 40), (0, 3, 3, 3), (2, 0, 3, 3)]
TARGETS = [torch.bool, torch.uint8, torch.float32, torch.float64, torch.bfloat16, torch.float16]
THRESHOLDS = [[0.4], [0.1, 0.2, 0.3, 0.4, 0.5, 0.9], [0.5, 0.25], []]


def grids(shape, device, dtype, target_dtype):
    """Probabilities with some ties, NaN and infinities; targets with NaN where they can hold it."""
    generator = torch.Generator().manual_seed(sum(shape))
    prob = torch.rand(shape, generator=generator, dtype=torch.float64)
    special = torch.tensor([0.4, 0.5, 0.25, float("nan"), float("inf"), -float("inf"), 0.0, 1.0], dtype=torch.float64)
    picked = special[torch.randint(len(special), shape, generator=generator)]
    prob = torch.where(torch.rand(shape, generator=generator) < 0.3, picked, prob)
    target = torch.rand(shape, generator=generator)
    if target_dtype == torch.bool:
        target = target > 0.6
    elif target_dtype == torch.uint8:
        target = (target * 3).to(torch.uint8)  # 0, 1 and 2
    else:
        target = torch.where(torch.rand(shape, generator=generator) < 0.1, float("nan"), target)
    return prob.to(dtype).to(device), target.to(target_dtype).to(device)


def samples(device, dtype):
    for shape in SHAPES:
        for target_dtype in TARGETS:
            yield grids(shape, device, dtype, target_dtype)
    prob, target = grids((4, 6, 8, 16), device, dtype, torch.bool)
    yield prob[:, ::2], target[:, 1::2]
    yield prob.transpose(1, 3), target.transpose(1, 3)
    yield prob[:1].expand(4, -1, -1, -1), target
    yield prob.flatten()[1:513].view(2, 4, 8, 8), target.flatten()[3:515].view(2, 4, 8, 8)  # unaligned
    yield prob.contiguous(memory_format=torch.channels_last), target


def numpy_counts(prob, target, threshold):
    """A third opinion."""
    wide = np.float64 if prob.dtype == torch.float64 else np.float32
    ours = prob.double().cpu().numpy().astype(wide) > wide(threshold)
    theirs = target.double().cpu().numpy() > 0.5
    axes = (-3, -2, -1)
    return np.logical_and(ours, theirs).sum(axes), np.logical_or(ours, theirs).sum(axes)


def assert_equal(result, expected):
    for ours, theirs in zip(result, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)


def test_equals_reference(device, dtype, require_compiled):
    require_compiled("voxel_iou", device)
    for prob, target in samples(device, dtype):
        for thresholds in THRESHOLDS:
            assert_equal(voxel_iou(prob, target, thresholds), voxel_iou_ref(prob, target, thresholds))


def test_every_instruction_set_equals_reference(dtype, cpu_level):
    for prob, target in samples("cpu", dtype):
        result, expected = voxel_iou(prob, target, [0.4, 0.5]), voxel_iou_ref(prob, target, [0.4, 0.5])
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(result, expected, strict=True))


def test_equals_numpy(device, dtype):
    for prob, target in samples(device, dtype):
        result = voxel_iou(prob, target, 0.4)
        intersection, union = numpy_counts(prob, target, 0.4)
        assert result.intersection.tolist() == intersection.tolist()
        assert result.union.tolist() == union.tolist()


def test_values(device):
    prob = torch.tensor([0.4, 0.5, 0.3, 0.9], device=device).view(1, 1, 4)
    target = torch.tensor([True, True, False, False], device=device).view(1, 1, 4)
    result = voxel_iou(prob, target)  # 0.4 is not above 0.4
    assert (result.intersection.item(), result.union.item()) == (1, 3)
    assert result.iou.item() == pytest.approx(1 / 3)
    assert result.iou.shape == ()
    empty = voxel_iou(torch.zeros_like(prob), torch.zeros_like(target))
    assert (empty.iou.item(), empty.intersection.item(), empty.union.item()) == (1.0, 0, 0)


def test_several_thresholds_are_single_ones(device):
    prob, target = grids((3, 8, 8, 8), device, torch.float32, torch.bool)
    many = voxel_iou(prob, target, [0.2, 0.4, 0.6])
    assert many.iou.shape == (3, 3)
    for index, threshold in enumerate((0.2, 0.4, 0.6)):
        assert_equal(IouCounts(*(tensor[index] for tensor in many)), voxel_iou(prob, target, threshold))


def test_logits(device, dtype):
    logits = torch.randn(3, 8, 8, 8, dtype=torch.float64)
    logits[0, 0, 0, 0] = 0.0  # σ(0) = 0.5 is not above 0.5
    target = torch.rand(3, 8, 8, 8) > 0.5
    for threshold in (0.1, 0.4, 0.5):
        expected = voxel_iou(torch.sigmoid(logits), target, threshold)
        x = logits.to(dtype).to(device)
        result = voxel_iou(x, target.to(device), threshold, logits=True)
        if dtype in (torch.float32, torch.float64):
            assert result.intersection.tolist() == expected.intersection.tolist()
        assert result.iou.tolist() == pytest.approx(expected.iou.tolist(), abs=0.02)


def test_counts_beyond_float32_are_exact(device):
    """2^24 + 1 is the first integer that float32 misses."""
    side = 257
    prob = torch.ones(side, side, side, device=device, dtype=torch.float16)
    target = torch.ones(side, side, side, device=device, dtype=torch.bool)
    assert voxel_iou(prob, target).union.item() == side**3 > 2**24
    target[0, 0, 0] = False
    result = voxel_iou(prob, target)
    assert (result.intersection.item(), result.union.item()) == (side**3 - 1, side**3)


def test_same_counts_for_any_number_of_threads():
    prob, target = grids((2, 96, 96, 96), "cpu", torch.float32, torch.bool)
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            assert_equal(voxel_iou(prob, target, [0.4, 0.5]), voxel_iou_ref(prob, target, [0.4, 0.5]))
    finally:
        torch.set_num_threads(threads)


def test_no_gradient(device):
    prob = torch.rand(2, 4, 4, 4, device=device, requires_grad=True)
    assert not any(tensor.requires_grad for tensor in voxel_iou(prob, prob > 0.5))


def test_opcheck(device, require_compiled):
    """On a sample of each kind: it takes a tenth of a second a call."""
    require_compiled("voxel_iou", device)
    prob, target = grids((2, 2, 5, 3, 7), device, torch.float32, torch.bool)
    for ours, theirs in ((prob, target), (prob[..., ::2], target[..., ::2].float()), (prob[:0], target[:0])):
        for thresholds in ([0.4], [0.5, 0.25], []):
            torch.library.opcheck(torch.ops.jc3d.voxel_iou.default, (ours, theirs, thresholds))


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile(device, dynamic):
    torch._dynamo.reset()
    compiled = torch.compile(
        lambda p, t: voxel_iou(p, t, [0.4, 0.5]), fullgraph=True, dynamic=dynamic, backend="aot_eager"
    )
    for batch in (2, 5):
        prob, target = grids((batch, 4, 4, 4), device, torch.float32, torch.bool)
        assert_equal(compiled(prob, target), voxel_iou(prob, target, [0.4, 0.5]))


class Module(torch.nn.Module):
    def forward(self, prob, target):
        return voxel_iou(prob, target, 0.4).iou


def test_export(device):
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(
        Module(),
        grids((2, 4, 4, 4), device, torch.float32, torch.bool),
        dynamic_shapes={"prob": {0: batch}, "target": {0: batch}},
    )
    prob, target = grids((7, 4, 4, 4), device, torch.float32, torch.bool)
    assert torch.equal(program.module()(prob, target), voxel_iou(prob, target).iou)


def test_cuda_graph(device):
    if device != "cuda":
        pytest.skip("CUDA graphs need CUDA")
    prob, target = grids((3, 32, 32, 32), device, torch.float32, torch.bool)
    voxel_iou(prob, target)  # before the capture: loads the kernel
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = voxel_iou(prob, target)
    for _ in range(2):  # the counts start from zero at every replay
        prob.copy_(prob.flip(0))
        graph.replay()
        assert_equal(result, voxel_iou(prob, target))


def test_thresholds_are_numbers_of_any_kind():
    grid = torch.rand(2, 4, 4, 4)
    expected = voxel_iou(grid, grid > 0.3, 0.5)
    for threshold in (np.float32(0.5), torch.tensor(0.5), np.array(0.5)):
        assert_equal(voxel_iou(grid, grid > 0.3, threshold), expected)
    for threshold in ("0.5", ["0.5"], None, [None]):
        with pytest.raises(TypeError, match="threshold: expected a number or a sequence of numbers, got"):
            voxel_iou(grid, grid, threshold)


def test_bad_arguments():
    grid = torch.zeros(2, 4, 4, 4)
    bad = [
        (([1.0], grid), TypeError, "prob: expected a tensor, got list"),
        ((grid.int(), grid), TypeError, "prob: expected float32, float64, bfloat16 or float16, got int32"),
        ((grid, grid.long()), TypeError, "target: expected bool, uint8 or a floating-point tensor, got int64"),
        ((grid[0, 0], grid[0, 0]), ValueError, r"prob: expected \(..., X, Y, Z\), got \(4, 4\)"),
        ((grid, grid[:1]), ValueError, r"target: expected \(2, 4, 4, 4\) like prob, got \(1, 4, 4, 4\)"),
        ((grid, grid.to("meta")), ValueError, "target: expected a tensor on cpu, got one on meta"),
        ((grid, grid, float("nan")), ValueError, "threshold: expected a number, got nan"),
        ((grid, grid, 1.0, True), ValueError, r"threshold: expected a number in \(0, 1\), got 1.0"),
    ]
    for arguments, error, message in bad:
        with pytest.raises(error, match=message):
            voxel_iou(*arguments)


def test_bad_arguments_of_the_kernel(device, require_compiled):
    require_compiled("voxel_iou", device)
    grid = torch.zeros(2, 4, 4, 4, device=device)
    with pytest.raises(RuntimeError, match="prob: expected float32, float64, bfloat16 or float16, got Int"):
        torch.ops.jc3d.voxel_iou(grid.int(), grid, [0.4])
    with pytest.raises(RuntimeError, match="target: expected float32, float64, bfloat16 or float16, got Long"):
        torch.ops.jc3d.voxel_iou(grid, grid.long(), [0.4])
    with pytest.raises(RuntimeError, match=r"target: expected \(2, 4, 4, 4\), got \(1, 4, 4, 4\)"):
        torch.ops.jc3d.voxel_iou(grid, grid[:1], [0.4])
    with pytest.raises(RuntimeError, match="prob: expected at least 3 dimensions"):
        torch.ops.jc3d.voxel_iou(grid[0, 0], grid[0, 0], [0.4])


def test_the_default_threshold_is_that_of_the_grids():
    """Ops know nothing of geometry, so the number stands twice."""
    assert inspect.signature(voxel_iou).parameters["threshold"].default == THRESHOLD
