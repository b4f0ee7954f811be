"""What convolutions with packed weights must do alike; a test class names its op and the shapes it is tried on."""

import math

import pytest
import torch

from jc3d.ops._library import status
from jc3d.ops._memory_format import memory_format_of

# Of 3³ convolutions: cases and small of PackedConvTests.
GRIDS = (
    ((2, 5, 3, 4, 6), (7, 3, 3, 3)),
    ((1, 3, 1, 1, 1), (2, 3, 3, 3)),
    ((1, 16, 4, 4, 4), (64, 3, 3, 3)),
    ((3, 4, 5, 2, 9), (40, 3, 3, 3)),
    ((1, 3, 2, 3, 2), (170, 3, 3, 3)),  # more panels than a piece has
    ((1, 2, 9, 11, 33), (33, 3, 3, 3)),
    ((1, 1, 2, 1, 70), (1, 3, 3, 3)),
    ((0, 3, 2, 2, 2), (4, 3, 3, 3)),
    ((2, 3, 2, 0, 2), (4, 3, 3, 3)),
    ((2, 0, 2, 2, 2), (4, 3, 3, 3)),
)
SMALL_GRID = ((2, 2, 2, 3, 1), (3, 3, 3, 3))
# Largest error allowed over the largest value: sums of taps·in products, rounded once to the dtype. Seen: a half of it.
TOLERANCES = {torch.float32: 2e-6, torch.float64: 4e-15, torch.bfloat16: 1.6e-2, torch.float16: 2e-3}


def sample(shape, kernel, device, dtype, seed=0):
    """x of a shape, weight (out, in, ...) of a kernel given as (out, ...), bias."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*sizes):
        return torch.randn(sizes, generator=generator, dtype=torch.float64).to(dtype).to(device)

    out, *taps = kernel
    fan_in = max(1, shape[1] * math.prod(taps))
    return draw(*shape), draw(out, shape[1], *taps) / fan_in**0.5, draw(out)


def check(ours, expected, dtype):
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    if expected.numel():
        scale = expected.double().abs().max().item() + 1e-30
        assert (ours.double() - expected.double()).abs().max().item() / scale < TOLERANCES[dtype]


class PackedConvTests:
    """What a class must say.

    Attributes:
        op: the PackedConv.
        cases: pairs of a shape of x and a kernel (out, taps...): odd sizes, one cell, full and part panels, more than
            one piece along every axis, nothing.
        small: such a pair, small enough for numerical gradients.
    """

    op = None
    cases = ()
    small = None

    def samples(self, device, dtype):
        for index, (shape, kernel) in enumerate(self.cases):
            x, weight, bias = sample(shape, kernel, device, dtype, index)
            yield x, weight, bias, 0.01
            yield x, weight, None, 1.0
            if x.numel():
                last = torch.channels_last if x.dim() == 4 else torch.channels_last_3d
                yield x.contiguous(memory_format=last), weight, bias, 0.25
        shape, kernel = self.cases[0]
        x, weight, bias = sample((shape[0], 2 * shape[1], *shape[2:]), kernel, device, dtype)
        yield x[:, ::2], weight[:, ::2], bias.flip(0), 0.01
        yield x.transpose(2, -1), weight.transpose(2, -1), bias, 0.01
        yield x[:1].expand(3, *x.shape[1:]), weight, bias, 0.01

    def reference(self, x, weight, bias, slope):
        bias = None if bias is None else bias.double()
        return self.op.reference(x.double(), weight.double(), bias, slope).to(x.dtype)

    def torch_op(self, suffix=""):
        return getattr(torch.ops.jc3d, self.op.name + suffix).default

    def test_equals_reference(self, device, dtype, require_compiled):
        require_compiled(self.op.name, "cpu")
        for arguments in self.samples(device, dtype):
            ours = self.op(*arguments)
            check(ours, self.reference(*arguments), dtype)
            assert ours.is_contiguous(memory_format=memory_format_of(arguments[0]))

    def test_every_instruction_set_equals_reference(self, dtype, cpu_level):
        for arguments in self.samples("cpu", dtype):
            check(self.op(*arguments), self.reference(*arguments), dtype)

    def test_one_packing_serves_many_calls(self, dtype):
        for x, weight, bias, slope in self.samples("cpu", dtype):
            ours = self.op.packed(x, self.op.pack(weight), bias, len(weight), slope)
            assert torch.equal(ours, self.op(x, weight, bias, slope))

    def test_packing_equals_its_reference(self, dtype):
        for x, weight, bias, slope in self.samples("cpu", dtype):
            packed = self.op.pack(weight)
            torch.testing.assert_close(packed, self.op.pack_reference(weight), rtol=1e-5, atol=1e-6)
            unpacked = self.op.packed_reference(x, packed, bias, len(weight), slope)
            check(unpacked, self.reference(x, weight, bias, slope), dtype)

    def test_a_result_depends_neither_on_the_batch_nor_on_threads(self):
        for shape, kernel in self.cases:
            x, weight, bias = sample((9, *shape[1:]), kernel, "cpu", torch.float32)
            packed, threads = self.op.pack(weight), torch.get_num_threads()
            together = self.op.packed(x, packed, bias, len(weight), 0.01)
            try:
                for count in (1, 2, 3):
                    torch.set_num_threads(count)
                    alone = [self.op.packed(item, packed, bias, len(weight), 0.01) for item in x.split(1)]
                    assert torch.equal(torch.cat(alone), together)
            finally:
                torch.set_num_threads(threads)

    def test_what_is_not_finite_is_seen_around_it(self, device):
        shape, kernel = self.cases[0]
        for seed in range(3):
            x, weight, bias = sample(shape, kernel, device, torch.float32, seed)
            x.view(-1)[17 + seed] = float("nan")
            finite = self.op.reference(x, weight, bias, 0.01).isfinite()
            assert not finite.all()
            assert not self.op(x, weight, bias, 0.01)[~finite].isfinite().any()

    @pytest.mark.parametrize("slope", [1.0, 0.2])
    @pytest.mark.parametrize("with_bias", [False, True])
    def test_gradcheck(self, device, slope, with_bias):
        x, weight, bias = (t.requires_grad_() for t in sample(*self.small, device, torch.float64))
        inputs = (x, weight, bias) if with_bias else (x, weight)
        assert torch.autograd.gradcheck(lambda x, w, b=None: self.op(x, w, b, slope), inputs)

    def test_gradients_equal_those_of_the_reference(self, device):
        tensors = sample(*self.cases[0], device, torch.float64)
        gradients = []
        for run in (self.op, self.op.reference):
            leaves = [tensor.clone().requires_grad_() for tensor in tensors]
            gradients.append(torch.autograd.grad(run(*leaves, 0.1).square().sum(), leaves))
        for ours, expected in zip(*gradients, strict=True):
            torch.testing.assert_close(ours, expected)

    def test_opcheck(self, device):
        """On a sample of each kind: it takes a tenth of a second a call."""
        shape, kernel = self.small
        x, weight, bias = sample((shape[0], 2 * shape[1], *shape[2:]), kernel, device, torch.float32)
        views = (x[:, ::2], weight[:, ::2], bias.flip(0), 0.01)
        last = x.contiguous(memory_format=torch.channels_last if x.dim() == 4 else torch.channels_last_3d)
        for inputs, taps, added, slope in (views, (last, weight, None, 1.0), (x[:0], weight, bias, 0.25)):
            torch.library.opcheck(self.torch_op(), (inputs, taps, added, slope))
            torch.library.opcheck(self.torch_op("_pack"), (taps,))
            packed = (inputs, self.op.pack(taps), added, len(taps), slope)
            torch.library.opcheck(self.torch_op("_packed"), packed)
        leaves = [tensor.requires_grad_() for tensor in sample(shape, kernel, device, torch.float32)]
        torch.library.opcheck(self.torch_op(), (*leaves, 0.1))

    @pytest.mark.parametrize("dynamic", [False, True])
    def test_compile(self, device, dynamic):
        torch._dynamo.reset()
        op = self.op

        def run(x, weight, bias):
            return op(x, weight, bias, 0.01)

        compiled = torch.compile(run, fullgraph=True, dynamic=dynamic, backend="aot_eager")
        shape, kernel = self.small
        for objects in (2, 5):
            tensors = sample((objects, *shape[1:]), kernel, device, torch.float32)
            assert torch.equal(compiled(*tensors), run(*tensors))

    def test_export(self, device):
        op = self.op

        class Module(torch.nn.Module):
            def forward(self, x, weight, bias):
                return op(x, weight, bias, 0.01)

        shape, kernel = self.small
        tensors = sample(shape, kernel, device, torch.float32)
        shapes = {"x": {0: torch.export.Dim("objects", min=1)}, "weight": None, "bias": None}
        program = torch.export.export(Module(), tensors, dynamic_shapes=shapes)
        more = sample((7, *shape[1:]), kernel, device, torch.float32)
        assert torch.equal(program.module()(*more), op(*more, 0.01))

    def test_bad_arguments(self):
        shape, kernel = self.small
        x, weight, bias = sample(shape, kernel, "cpu", torch.float32)
        with pytest.raises(TypeError, match="x: expected a tensor, got list"):
            self.op([1.0], weight, None, 1.0)
        stars = ", ".join(r"\*" for _ in shape)
        with pytest.raises(ValueError, match=rf"x: expected \({stars}\), got \(2, 3\)"):
            self.op(torch.zeros(2, 3), weight, None, 1.0)
        with pytest.raises(TypeError, match="weight: expected float32 as x, got float64"):
            self.op(x, weight.double(), None, 1.0)
        with pytest.raises(
            ValueError, match=rf"weight: expected \(\*, {shape[1]}, .*, got \({kernel[0]}, {shape[1] + 1}, "
        ):
            self.op(x, weight.new_zeros(kernel[0], shape[1] + 1, *kernel[1:]), None, 1.0)
        with pytest.raises(ValueError, match=rf"bias: expected \({kernel[0]}\), got \({kernel[0] + 1},\)"):
            self.op(x, weight, torch.zeros(kernel[0] + 1), 1.0)
        with pytest.raises(ValueError, match="negative_slope: expected more than 0, got 0"):
            self.op(x, weight, bias, 0.0)

    def test_bad_arguments_of_the_kernel(self, require_compiled):
        require_compiled(self.op.name, "cpu")
        shape, kernel = self.small
        run, (x, weight, _) = self.torch_op("_packed"), sample(shape, kernel, "cpu", torch.float32)
        packed = self.op.pack(weight)
        with pytest.raises(RuntimeError, match=r"packed: expected \(\d+, 2, \d+, 32\), got \(\d+, 1, \d+, 32\)"):
            run(x, packed, None, 40, 1.0)
        with pytest.raises(RuntimeError, match="packed: expected Float, got Double"):
            run(x, packed.double(), None, kernel[0], 1.0)
        with pytest.raises(RuntimeError, match=r"bias: expected \(\d+\), got \(40\)"):
            run(x, packed, torch.zeros(40), kernel[0], 1.0)
        with pytest.raises(RuntimeError, match=r"weight: expected \(\d+, \d+, \d+.*\), got"):
            self.torch_op("_pack")(weight[..., :2, :])

    def test_status_says_what_runs_on_a_gpu(self):
        assert not status()[self.op.name]["cuda"].compiled
        assert status()[self.op.name]["cuda"].reason
