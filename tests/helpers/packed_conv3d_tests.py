"""What upsample_conv3d and winograd_conv3d must do alike; a test class names its op."""

import pytest
import torch

from jc3d.ops._library import status
from jc3d.ops._memory_format import memory_format_of

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
# Largest error allowed over the largest value: sums of 27·in products, rounded once to the dtype. Seen: a half of it.
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


class PackedConv3dTests:
    """``op``: the PackedConv3d."""

    op = None

    def reference(self, x, weight, bias, slope):
        bias = None if bias is None else bias.double()
        return self.op.reference(x.double(), weight.double(), bias, slope).to(x.dtype)

    def torch_op(self, suffix=""):
        return getattr(torch.ops.jc3d, self.op.name + suffix).default

    def test_equals_reference(self, device, dtype, require_compiled):
        require_compiled(self.op.name, "cpu")
        for arguments in samples(device, dtype):
            ours = self.op(*arguments)
            check(ours, self.reference(*arguments), dtype)
            assert ours.is_contiguous(memory_format=memory_format_of(arguments[0]))

    def test_every_instruction_set_equals_reference(self, dtype, cpu_level):
        for arguments in samples("cpu", dtype):
            check(self.op(*arguments), self.reference(*arguments), dtype)

    def test_one_packing_serves_many_calls(self, dtype):
        for x, weight, bias, slope in samples("cpu", dtype):
            ours = self.op.packed(x, self.op.pack(weight), bias, len(weight), slope)
            assert torch.equal(ours, self.op(x, weight, bias, slope))

    def test_packing_equals_its_reference(self, dtype):
        for x, weight, bias, slope in samples("cpu", dtype):
            packed = self.op.pack(weight)
            torch.testing.assert_close(packed, self.op.pack_reference(weight), rtol=1e-5, atol=1e-6)
            unpacked = self.op.packed_reference(x, packed, bias, len(weight), slope)
            check(unpacked, self.reference(x, weight, bias, slope), dtype)

    def test_a_result_depends_neither_on_its_company_nor_on_threads(self):
        x, weight, bias = sample((9, 24, 4, 4, 4), 96, "cpu", torch.float32)
        packed, threads = self.op.pack(weight), torch.get_num_threads()
        together = self.op.packed(x, packed, bias, 96, 0.01)
        try:
            for count in (1, 2, 3):
                torch.set_num_threads(count)
                alone = torch.cat([self.op.packed(item, packed, bias, 96, 0.01) for item in x.split(1)])
                assert torch.equal(alone, together)
        finally:
            torch.set_num_threads(threads)

    def test_what_is_not_finite_is_seen_around_it(self, device):
        x, weight, bias = sample((1, 2, 4, 4, 4), 3, device, torch.float32)
        x[0, 0, 1, 1, 1] = float("nan")
        finite = self.op.reference(x, weight, bias, 0.01).isfinite()
        assert not self.op(x, weight, bias, 0.01)[~finite].isfinite().any()

    @pytest.mark.parametrize("slope", [1.0, 0.2])
    @pytest.mark.parametrize("with_bias", [False, True])
    def test_gradcheck(self, device, slope, with_bias):
        x, weight, bias = (t.requires_grad_() for t in sample((2, 2, 2, 3, 1), 3, device, torch.float64))
        inputs = (x, weight, bias) if with_bias else (x, weight)
        assert torch.autograd.gradcheck(lambda x, w, b=None: self.op(x, w, b, slope), inputs)

    def test_gradients_equal_those_of_the_reference(self, device):
        tensors = sample((2, 6, 3, 4, 5), 8, device, torch.float64)
        gradients = []
        for run in (self.op, self.op.reference):
            leaves = [tensor.clone().requires_grad_() for tensor in tensors]
            gradients.append(torch.autograd.grad(run(*leaves, 0.1).square().sum(), leaves))
        for ours, expected in zip(*gradients, strict=True):
            torch.testing.assert_close(ours, expected)

    def test_opcheck(self, device):
        for x, weight, bias, slope in samples(device, torch.float32):
            torch.library.opcheck(self.torch_op(), (x, weight, bias, slope))
            torch.library.opcheck(self.torch_op("_pack"), (weight,))
            arguments = (x, self.op.pack(weight), bias, len(weight), slope)
            torch.library.opcheck(self.torch_op("_packed"), arguments)

    @pytest.mark.parametrize("dynamic", [False, True])
    def test_compile(self, device, dynamic):
        torch._dynamo.reset()
        op = self.op

        def run(x, weight, bias):
            return op(x, weight, bias, 0.01)

        compiled = torch.compile(run, fullgraph=True, dynamic=dynamic, backend="aot_eager")
        for objects in (2, 5):
            tensors = sample((objects, 3, 4, 4, 4), 5, device, torch.float32)
            assert torch.equal(compiled(*tensors), run(*tensors))

    def test_export(self, device):
        op = self.op

        class Module(torch.nn.Module):
            def forward(self, x, weight, bias):
                return op(x, weight, bias, 0.01)

        tensors = sample((2, 3, 4, 4, 4), 5, device, torch.float32)
        shapes = {"x": {0: torch.export.Dim("objects", min=1)}, "weight": None, "bias": None}
        program = torch.export.export(Module(), tensors, dynamic_shapes=shapes)
        more = sample((7, 3, 4, 4, 4), 5, device, torch.float32)
        assert torch.equal(program.module()(*more), op(*more, 0.01))

    def test_bad_arguments(self):
        x, weight, bias = torch.zeros(1, 2, 3, 3, 3), torch.zeros(4, 2, 3, 3, 3), torch.zeros(4)
        with pytest.raises(TypeError, match="x: expected a tensor, got list"):
            self.op([1.0], weight, None, 1.0)
        with pytest.raises(ValueError, match=r"x: expected \(\*, \*, \*, \*, \*\), got \(2, 3\)"):
            self.op(torch.zeros(2, 3), weight, None, 1.0)
        with pytest.raises(TypeError, match="weight: expected float32 as x, got float64"):
            self.op(x, weight.double(), None, 1.0)
        with pytest.raises(ValueError, match=r"weight: expected \(\*, 2, 3, 3, 3\), got \(4, 3, 3, 3, 3\)"):
            self.op(x, torch.zeros(4, 3, 3, 3, 3), None, 1.0)
        with pytest.raises(ValueError, match=r"bias: expected \(4\), got \(3,\)"):
            self.op(x, weight, torch.zeros(3), 1.0)
        with pytest.raises(ValueError, match="negative_slope: expected more than 0, got 0"):
            self.op(x, weight, bias, 0.0)

    def test_bad_arguments_of_the_kernel(self, require_compiled):
        require_compiled(self.op.name, "cpu")
        run, x, weight = self.torch_op("_packed"), torch.zeros(1, 2, 3, 3, 3), torch.zeros(4, 2, 3, 3, 3)
        packed = self.op.pack(weight)
        with pytest.raises(RuntimeError, match=r"packed: expected \(\d+, 2, 2, 32\), got \(\d+, 1, 2, 32\)"):
            run(x, packed, None, 40, 1.0)
        with pytest.raises(RuntimeError, match="packed: expected Float, got Double"):
            run(x, packed.double(), None, 4, 1.0)
        with pytest.raises(RuntimeError, match=r"bias: expected \(4\), got \(5\)"):
            run(x, packed, torch.zeros(5), 4, 1.0)
        with pytest.raises(RuntimeError, match=r"weight: expected \(4, 2, 3, 3, 3\), got \(4, 2, 3, 3, 2\)"):
            self.torch_op("_pack")(weight[..., :2])

    def test_status_says_what_runs_on_a_gpu(self):
        assert not status()[self.op.name]["cuda"].compiled
        assert status()[self.op.name]["cuda"].reason
