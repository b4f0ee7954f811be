import pytest
import torch

from jc3d.ops import pack_bits, voxel_iou, voxel_iou_packed
from jc3d.ops.voxel_iou_packed import voxel_iou_packed_ref

SHAPES = [(3, 32, 32, 4), (2, 2, 5, 3, 1), (4, 4, 2), (1, 1, 1, 1), (2, 65, 33, 7), (0, 3, 3, 1), (2, 0, 3, 1)]


def grids(shape, device):
    generator = torch.Generator().manual_seed(sum(shape))
    return [torch.randint(256, shape, generator=generator, dtype=torch.uint8).to(device) for _ in range(2)]


def samples(device):
    for shape in SHAPES:
        yield grids(shape, device)
    a, b = grids((4, 6, 8, 16), device)
    yield a[:, ::2], b[:, 1::2]
    yield a.transpose(1, 3), b.transpose(1, 3)
    yield a[:1].expand(4, -1, -1, -1), b
    yield a.flatten()[1:513].view(2, 4, 8, 8), b.flatten()[3:515].view(2, 4, 8, 8)  # unaligned


def assert_equal(result, expected):
    for ours, theirs in zip(result, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)


def test_equals_reference(device, require_compiled):
    require_compiled("voxel_iou_packed", device)
    for a, b in samples(device):
        assert_equal(voxel_iou_packed(a, b), voxel_iou_packed_ref(a, b))


def test_every_instruction_set_equals_reference(cpu_level):
    for a, b in samples("cpu"):
        result, expected = voxel_iou_packed(a, b), voxel_iou_packed_ref(a, b)
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(result, expected, strict=True))


@pytest.mark.parametrize("shape", [(3, 32, 32, 32), (2, 5, 4, 9), (1, 2, 3)])
def test_equals_voxel_iou_of_the_unpacked(device, shape):
    """Padding at the end of a line counts as empty."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(shape, generator=generator).to(device) for _ in range(2))
    assert_equal(voxel_iou_packed(pack_bits(a), pack_bits(b)), voxel_iou((a >= 0).float(), b >= 0, 0.5))


def test_empty_over_empty_is_one(device):
    empty = torch.zeros(2, 4, 4, 1, dtype=torch.uint8, device=device)
    result = voxel_iou_packed(empty, empty)
    assert result.iou.tolist() == [1.0, 1.0]
    assert result.union.tolist() == [0, 0]


def test_same_counts_for_any_number_of_threads():
    a, b = grids((2, 128, 128, 16), "cpu")
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            assert_equal(voxel_iou_packed(a, b), voxel_iou_packed_ref(a, b))
    finally:
        torch.set_num_threads(threads)


def test_opcheck(device, require_compiled):
    require_compiled("voxel_iou_packed", device)
    for shape in SHAPES:
        torch.library.opcheck(torch.ops.jc3d.voxel_iou_packed.default, tuple(grids(shape, device)))


def test_compile(device):
    torch._dynamo.reset()
    compiled = torch.compile(voxel_iou_packed, fullgraph=True, backend="aot_eager")
    a, b = grids((2, 4, 4, 2), device)
    assert_equal(compiled(a, b), voxel_iou_packed(a, b))


class Module(torch.nn.Module):
    def forward(self, a, b):
        return voxel_iou_packed(a, b).iou


def test_export(device):
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(
        Module(), tuple(grids((2, 4, 4, 2), device)), dynamic_shapes={"a": {0: batch}, "b": {0: batch}}
    )
    a, b = grids((7, 4, 4, 2), device)
    assert torch.equal(program.module()(a, b), voxel_iou_packed(a, b).iou)


def test_bad_arguments():
    grid = torch.zeros(2, 4, 4, 1, dtype=torch.uint8)
    bad = [
        (([1], grid), TypeError, "a: expected a uint8 tensor, got list"),
        ((grid, grid.bool()), TypeError, "b: expected a uint8 tensor, got bool"),
        ((grid[0, 0], grid[0, 0]), ValueError, r"a: expected \(..., X, Y, Z\), got \(4, 1\)"),
        ((grid, grid[:1]), ValueError, r"b: expected \(2, 4, 4, 1\) like a, got \(1, 4, 4, 1\)"),
        ((grid, grid.to("meta")), ValueError, "b: expected a tensor on cpu, got one on meta"),
    ]
    for arguments, error, message in bad:
        with pytest.raises(error, match=message):
            voxel_iou_packed(*arguments)


def test_bad_arguments_of_the_kernel(device, require_compiled):
    require_compiled("voxel_iou_packed", device)
    grid = torch.zeros(2, 4, 4, 1, dtype=torch.uint8, device=device)
    with pytest.raises(RuntimeError, match="b: expected Byte, got Int"):
        torch.ops.jc3d.voxel_iou_packed(grid, grid.int())
    with pytest.raises(RuntimeError, match=r"b: expected \(.*\), got \("):
        torch.ops.jc3d.voxel_iou_packed(grid, grid[:1])
