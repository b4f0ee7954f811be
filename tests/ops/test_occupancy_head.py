"""occupancy_head: against the reference, and against the two channels and their softmax."""

import pytest
import torch
from packed_conv_tests import GRIDS, check, sample
from torch.nn import functional as F

from jc3d.ops import occupancy_head
from jc3d.ops.occupancy_head import occupancy_head_ref

OP = torch.ops.jc3d.occupancy_head.default
TALL = (1, 3, 19, 2, 3)  # more than one piece


def samples(device, dtype):
    for index, shape in enumerate([*(shape for shape, _ in GRIDS), TALL]):
        x, weight, bias = sample(shape, (2, 3, 3, 3), device, dtype, index)
        for doubled in (False, True):
            yield x, weight, bias, doubled
            if x.numel():
                yield x.contiguous(memory_format=torch.channels_last_3d), weight, bias, doubled
    x, weight, bias = sample((2, 6, 4, 6, 8), (2, 3, 3, 3), device, dtype)
    yield x[:, ::2], weight[:, ::2], bias.flip(0), False
    yield x.transpose(2, 4), weight.transpose(2, 4), bias, True
    yield x[:1].expand(3, -1, -1, -1, -1), weight, bias, True


def reference(x, weight, bias, doubled):
    return occupancy_head_ref(x.double(), weight.double(), bias.double(), doubled).to(x.dtype)


def test_equals_reference(device, dtype, require_compiled):
    require_compiled("occupancy_head", "cpu")
    for arguments in samples(device, dtype):
        ours = occupancy_head(*arguments)
        check(ours, reference(*arguments), dtype)
        assert ours.is_contiguous()


def test_every_instruction_set_equals_reference(dtype, cpu_level):
    for arguments in samples("cpu", dtype):
        check(occupancy_head(*arguments), reference(*arguments), dtype)


@pytest.mark.parametrize("doubled", [False, True])
def test_equals_the_softmax_of_two_channels(device, doubled):
    x, weight, bias = sample((2, 5, 6, 5, 7), (2, 3, 3, 3), device, torch.float64)
    grid = x.repeat_interleave(2, 2).repeat_interleave(2, 3).repeat_interleave(2, 4) if doubled else x
    expected = F.conv3d(grid, weight, bias, padding=1).softmax(dim=1)[:, 1]
    torch.testing.assert_close(occupancy_head(x, weight, bias, doubled), expected)


@pytest.mark.parametrize("doubled", [False, True])
def test_a_result_depends_neither_on_the_batch_nor_on_threads(doubled):
    x, weight, bias = sample((5, *TALL[1:]), (2, 3, 3, 3), "cpu", torch.float32)
    threads, together = torch.get_num_threads(), occupancy_head(x, weight, bias, doubled)
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            alone = torch.cat([occupancy_head(item, weight, bias, doubled) for item in x.split(1)])
            assert torch.equal(alone, together)
    finally:
        torch.set_num_threads(threads)


def test_what_is_not_finite_is_seen_around_it(device):
    for doubled in (False, True):
        x, weight, bias = sample((1, 2, 4, 4, 4), (2, 3, 3, 3), device, torch.float32)
        x[0, 0, 1, 1, 1] = float("nan")
        expected = occupancy_head_ref(x, weight, bias, doubled).isnan()
        assert expected.any()
        assert torch.equal(occupancy_head(x, weight, bias, doubled).isnan(), expected)


@pytest.mark.parametrize("doubled", [False, True])
def test_gradcheck(device, doubled):
    tensors = [t.requires_grad_() for t in sample((2, 2, 2, 3, 1), (2, 3, 3, 3), device, torch.float64)]
    assert torch.autograd.gradcheck(lambda *leaves: occupancy_head(*leaves, doubled), tensors)


@pytest.mark.parametrize("doubled", [False, True])
def test_opcheck(device, doubled):
    """On a sample of each kind: it takes a tenth of a second a call."""
    x, weight, bias = sample((2, 6, 2, 3, 4), (2, 3, 3, 3), device, torch.float32)
    leaves = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
    views = x[:, ::2], weight[:, ::2], bias.flip(0)
    last = x.contiguous(memory_format=torch.channels_last_3d), weight, bias
    for tensors in (leaves, views, last, (x[:0], weight, bias)):
        torch.library.opcheck(OP, (*tensors, doubled))


def test_compile_and_export(device):
    class Module(torch.nn.Module):
        def forward(self, x, weight, bias):
            return occupancy_head(x, weight, bias, doubled=True)

    torch._dynamo.reset()
    module = Module()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    tensors = sample((2, 3, 4, 4, 4), (2, 3, 3, 3), device, torch.float32)
    assert torch.equal(compiled(*tensors), module(*tensors))
    shapes = {"x": {0: torch.export.Dim("objects", min=1)}, "weight": None, "bias": None}
    program = torch.export.export(module, tensors, dynamic_shapes=shapes)
    more = sample((7, 3, 4, 4, 4), (2, 3, 3, 3), device, torch.float32)
    assert torch.equal(program.module()(*more), module(*more))


def test_bad_arguments():
    x, weight, bias = torch.zeros(1, 2, 3, 3, 3), torch.zeros(2, 2, 3, 3, 3), torch.zeros(2)
    with pytest.raises(ValueError, match=r"x: expected \(\*, \*, \*, \*, \*\), got \(2, 3\)"):
        occupancy_head(torch.zeros(2, 3), weight, bias)
    with pytest.raises(ValueError, match=r"weight: expected \(2, 2, 3, 3, 3\), got \(1, 2, 3, 3, 3\)"):
        occupancy_head(x, weight[:1], bias)
    with pytest.raises(TypeError, match="bias: expected float32 as x, got float64"):
        occupancy_head(x, weight, bias.double())
    with pytest.raises(RuntimeError, match=r"bias: expected \(2\), got \(1\)"):
        OP(x, weight, bias[:1], False)
