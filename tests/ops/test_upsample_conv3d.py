"""upsample_conv3d against the doubled grid's convolution, written out in plain PyTorch."""

import pytest
import torch

from jc3d.ops import pack_upsample_weight, upsample_conv3d, upsample_conv3d_packed
from jc3d.ops._library import status
from jc3d.ops._memory_format import memory_format_of
from jc3d.ops.upsample_conv3d import _pack_ref, _packed_ref, upsample_conv3d_ref

# (N, in, D, H, W), out: odd sizes, one cell, full and part panels, more than one piece along every axis, nothing.
SHAPES = [
    ((2, 5, 3, 4, 6), 7),
    ((1, 3, 1, 1, 1), 2),
    ((1, 16, 4, 4, 4), 64),
    ((3, 4, 5, 2, 9), 40),
    ((1, 2, 9, 11, 33), 33),
    ((1, 1, 2, 1, 70), 1),
    ((0, 3, 2, 2, 2), 4),
    ((2, 3, 2, 0, 2), 4),
    ((2, 0, 2, 2, 2), 4),
]
# Largest error seen over the largest value, doubled: of sums of 27·in products, rounded once to the dtype.
TOLERANCES = {torch.float32: 2e-6, torch.float64: 4e-15, torch.bfloat16: 1.6e-2, torch.float16: 2e-3}


def sample(shape, out, device, dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*sizes):
        return torch.randn(sizes, generator=generator, dtype=torch.float64).to(dtype).to(device)

    return draw(*shape), draw(out, shape[1], 3, 3, 3) / max(1, 27 * shape[1]) ** 0.5, draw(out)


def samples(device, dtype):
    for index, (shape, out) in enumerate(SHAPES):
        x, weight, bias = sample(shape, out, device, dtype, index)
        yield x, weight, bias, 0.01
        yield x, weight, None, 1.0
        if x.numel():
            yield x.contiguous(memory_format=torch.channels_last_3d), weight, bias, 0.25
    x, weight, bias = sample((2, 6, 4, 6, 8), 5, device, dtype)
    yield x[:, ::2], weight[:, ::2], bias, 0.01
    yield x.transpose(2, 4), weight.transpose(2, 4), bias.flip(0), 0.01
    yield x[:1].expand(3, -1, -1, -1, -1), weight, bias, 0.01


def check(ours, expected, dtype):
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    if expected.numel():
        scale = expected.double().abs().max().item() + 1e-30
        assert (ours.double() - expected.double()).abs().max().item() / scale < TOLERANCES[dtype]


def reference(x, weight, bias, slope):
    bias = None if bias is None else bias.double()
    return upsample_conv3d_ref(x.double(), weight.double(), bias, slope).to(x.dtype)


def test_equals_reference(device, dtype, require_compiled):
    require_compiled("upsample_conv3d", "cpu")
    for arguments in samples(device, dtype):
        ours = upsample_conv3d(*arguments)
        check(ours, reference(*arguments), dtype)
        assert ours.is_contiguous(memory_format=memory_format_of(arguments[0]))


def test_every_instruction_set_equals_reference(dtype, cpu_level):
    for arguments in samples("cpu", dtype):
        check(upsample_conv3d(*arguments), reference(*arguments), dtype)


def test_one_packing_serves_many_calls(dtype):
    for x, weight, bias, slope in samples("cpu", dtype):
        packed = pack_upsample_weight(weight)
        assert torch.equal(
            upsample_conv3d_packed(x, packed, bias, len(weight), slope), upsample_conv3d(x, weight, bias, slope)
        )


def test_packing_equals_its_reference(dtype):
    for x, weight, bias, slope in samples("cpu", dtype):
        packed = pack_upsample_weight(weight)
        torch.testing.assert_close(packed, _pack_ref(weight), rtol=1e-5, atol=1e-6)
        check(_packed_ref(x, packed, bias, len(weight), slope), reference(x, weight, bias, slope), dtype)


def test_a_result_depends_neither_on_its_company_nor_on_threads():
    x, weight, bias = sample((9, 24, 4, 4, 4), 96, "cpu", torch.float32)
    packed, threads = pack_upsample_weight(weight), torch.get_num_threads()
    together = upsample_conv3d_packed(x, packed, bias, 96, 0.01)
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            alone = torch.cat([upsample_conv3d_packed(item, packed, bias, 96, 0.01) for item in x.split(1)])
            assert torch.equal(alone, together)
    finally:
        torch.set_num_threads(threads)


def test_nan_and_infinity_reach_the_cells_around_them(device):
    x, weight, bias = sample((1, 2, 4, 4, 4), 3, device, torch.float32)
    x[0, 0, 1, 1, 1] = float("nan")
    ours = upsample_conv3d(x, weight, bias, 0.01)
    assert torch.equal(ours.isfinite(), upsample_conv3d_ref(x, weight, bias, 0.01).isfinite())


@pytest.mark.parametrize("slope", [1.0, 0.2])
@pytest.mark.parametrize("with_bias", [False, True])
def test_gradcheck(device, slope, with_bias):
    x, weight, bias = (t.requires_grad_() for t in sample((2, 2, 2, 3, 1), 3, device, torch.float64))
    inputs = (x, weight, bias) if with_bias else (x, weight)
    assert torch.autograd.gradcheck(lambda *args: upsample_conv3d(*args, negative_slope=slope), inputs)


def test_gradients_equal_those_of_the_reference(device):
    tensors = sample((2, 6, 3, 4, 5), 8, device, torch.float64)
    gradients = []
    for run in (upsample_conv3d, upsample_conv3d_ref):
        leaves = [tensor.clone().requires_grad_() for tensor in tensors]
        gradients.append(torch.autograd.grad(run(*leaves, 0.1).square().sum(), leaves))
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected)


def test_opcheck(device):
    for x, weight, bias, slope in samples(device, torch.float32):
        torch.library.opcheck(torch.ops.jc3d.upsample_conv3d.default, (x, weight, bias, slope))
        torch.library.opcheck(torch.ops.jc3d.upsample_conv3d_pack.default, (weight,))
        packed = pack_upsample_weight(weight)
        arguments = (x, packed, bias, len(weight), slope)
        torch.library.opcheck(torch.ops.jc3d.upsample_conv3d_packed.default, arguments)


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile(device, dynamic):
    torch._dynamo.reset()
    compiled = torch.compile(upsample_conv3d, fullgraph=True, dynamic=dynamic, backend="aot_eager")
    for objects in (2, 5):
        x, weight, bias = sample((objects, 3, 4, 4, 4), 5, device, torch.float32)
        assert torch.equal(compiled(x, weight, bias, 0.01), upsample_conv3d(x, weight, bias, 0.01))


class Module(torch.nn.Module):
    def forward(self, x, weight, bias):
        return upsample_conv3d(x, weight, bias, 0.01)


def test_export(device):
    tensors = sample((2, 3, 4, 4, 4), 5, device, torch.float32)
    shapes = {"x": {0: torch.export.Dim("objects", min=1)}, "weight": None, "bias": None}
    program = torch.export.export(Module(), tensors, dynamic_shapes=shapes)
    more = sample((7, 3, 4, 4, 4), 5, device, torch.float32)
    assert torch.equal(program.module()(*more), upsample_conv3d(*more, 0.01))


def test_third_opinion_a_mean_stays_where_nothing_is_cut_off():
    """With taps of 1/27 and a constant grid, cells away from the border keep the constant."""
    x, weight = torch.full((1, 1, 4, 4, 4), 3.0), torch.full((1, 1, 3, 3, 3), 1 / 27)
    inner = upsample_conv3d(x, weight)[0, 0, 1:-1, 1:-1, 1:-1]
    torch.testing.assert_close(inner, torch.full_like(inner, 3.0))
    corner = upsample_conv3d(x, weight)[0, 0, 0, 0, 0]
    torch.testing.assert_close(corner, torch.tensor(3.0 * 8 / 27))


def test_bad_arguments():
    x, weight, bias = torch.zeros(1, 2, 3, 3, 3), torch.zeros(4, 2, 3, 3, 3), torch.zeros(4)
    with pytest.raises(TypeError, match="x: expected a tensor, got list"):
        upsample_conv3d([1.0], weight)
    with pytest.raises(ValueError, match=r"x: expected \(\*, \*, \*, \*, \*\), got \(2, 3\)"):
        upsample_conv3d(torch.zeros(2, 3), weight)
    with pytest.raises(TypeError, match="weight: expected float32 as x, got float64"):
        upsample_conv3d(x, weight.double())
    with pytest.raises(ValueError, match=r"weight: expected \(\*, 2, 3, 3, 3\), got \(4, 3, 3, 3, 3\)"):
        upsample_conv3d(x, torch.zeros(4, 3, 3, 3, 3))
    with pytest.raises(ValueError, match=r"bias: expected \(4\), got \(3,\)"):
        upsample_conv3d(x, weight, torch.zeros(3))
    with pytest.raises(ValueError, match="negative_slope: expected more than 0, got 0"):
        upsample_conv3d(x, weight, bias, 0.0)


def test_bad_arguments_of_the_kernel(require_compiled):
    require_compiled("upsample_conv3d", "cpu")
    op, x, weight = torch.ops.jc3d.upsample_conv3d_packed, torch.zeros(1, 2, 3, 3, 3), torch.zeros(4, 2, 3, 3, 3)
    packed = pack_upsample_weight(weight)
    with pytest.raises(RuntimeError, match=r"packed: expected \(27, 2, 2, 32\), got \(27, 1, 2, 32\)"):
        op(x, packed, None, 40, 1.0)
    with pytest.raises(RuntimeError, match="packed: expected Float, got Double"):
        op(x, packed.double(), None, 4, 1.0)
    with pytest.raises(RuntimeError, match=r"bias: expected \(4\), got \(5\)"):
        op(x, packed, torch.zeros(5), 4, 1.0)
    with pytest.raises(RuntimeError, match=r"weight: expected \(4, 2, 3, 3, 3\), got \(4, 2, 3, 3, 2\)"):
        torch.ops.jc3d.upsample_conv3d_pack(weight[..., :2])


def test_status_says_what_runs_on_a_gpu():
    assert not status()["upsample_conv3d"]["cuda"].compiled
    assert status()["upsample_conv3d"]["cuda"].reason
