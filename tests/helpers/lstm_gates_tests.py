"""What the tests of `conv_lstm_gates` and `conv3d_lstm_gates` share: the ops differ in the output gate alone."""

import pytest
import torch

from jc3d.ops._library import is_compiled
from jc3d.ops._lstm_gates import LstmGates
from jc3d.ops._memory_format import memory_format_of

# (N, C, *S): the models' sizes, odd ones, one element, no space, nothing.
SHAPES = [(2, 8, 4, 4, 4), (3, 7, 9, 5), (2, 3, 33, 31), (1, 600, 1, 1), (4, 6), (1, 1, 1, 1), (2, 5, 3)]
EMPTY = [(0, 4, 2, 2), (2, 0, 3, 3), (2, 3, 0, 4)]
ALL = (True, True, True)
# Which of h_gates, bias and c_prev are given, all of them first.
GIVEN = [ALL, *((h, b, c) for h in (True, False) for b in (True, False) for c in (True, False) if (h, b, c) != ALL)]
every_choice = pytest.mark.parametrize(
    "given",
    GIVEN,
    ids=lambda given: "".join(name if wanted else "-" for name, wanted in zip("hbc", given, strict=True)),
)
# Largest difference to the reference in float64, over 1 + the result's size (of the bias gradient: of what is added).
# Measured on a CPU: 4e-7, 6e-16, 3e-3, 4e-4.
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-14, torch.bfloat16: 1e-2, torch.float16: 2e-3}


def channels_last_format(dimensions):
    return {4: torch.channels_last, 5: torch.channels_last_3d}[dimensions]


def tensor(generator, shape, device, dtype, layout="contiguous"):
    """Random numbers of a spread that reaches both ends of the activations, laid out as asked."""
    x = (torch.randn(shape, generator=generator, dtype=torch.float64) * 3).to(dtype).to(device)
    if layout == "channels_last":
        return x.contiguous(memory_format=channels_last_format(x.dim()))
    if layout == "sliced":
        wide = torch.zeros((*shape[:-1], 2 * shape[-1] + 1), dtype=dtype, device=device)
        wide[..., 1::2] = x
        return wide[..., 1::2]
    if layout == "transposed":
        return x.transpose(0, -1).contiguous().transpose(0, -1)
    if layout == "expanded":
        return x[:1].expand(shape)
    return x


class GatesTests:
    """Subclasses set the op; pytest collects them alone."""

    op: LstmGates

    @property
    def names(self):
        return (self.op.name, f"{self.op.name}_", f"{self.op.name}_backward")

    def arguments(self, shape, device, dtype, layout="contiguous", given=(True, True, True)):
        """x_gates, h_gates, bias, c_prev; those not ``given`` are None."""
        generator = torch.Generator().manual_seed(sum(shape))
        batch, channels, *space = shape
        gates = (batch, self.op.count * channels, *space)
        made = (
            tensor(generator, gates, device, dtype, layout),
            tensor(generator, gates, device, dtype, layout),
            tensor(generator, gates[1:2], device, dtype),
            tensor(generator, shape, device, dtype, layout),
        )
        return [made[0], *(x if wanted else None for x, wanted in zip(made[1:], given, strict=True))]

    def samples(self, device, dtype, given=ALL):
        """Some shapes and layouts; every one of them where all arguments are given."""
        for shape in SHAPES[:3]:
            for layout in ("contiguous", "channels_last"):
                yield self.arguments(shape, device, dtype, layout, given)
        if given == ALL:
            for shape in (*SHAPES[3:], *EMPTY):
                yield self.arguments(shape, device, dtype)
            for shape in SHAPES[:3]:
                for layout in ("sliced", "transposed", "expanded"):
                    yield self.arguments(shape, device, dtype, layout)

    def assert_close(self, ours, exact, size=None):
        """``exact``: the same in float64; ``size``: of what was added up to it, if anything."""
        assert ours.shape == exact.shape
        assert ours.stride() == exact.stride()
        difference = (ours.double() - exact).abs() / (1 + (exact.abs() if size is None else size))
        assert difference.numel() == 0 or difference.max() <= TOLERANCE[ours.dtype]

    def double(self, tensors):
        return [x.double() if isinstance(x, torch.Tensor) else x for x in tensors]

    def test_compiled(self, device, require_compiled):
        for name in self.names:
            require_compiled(name, device)
            assert is_compiled(name, device)

    @every_choice
    def test_equals_reference(self, device, dtype, given, require_compiled):
        require_compiled(self.op.name, device)
        for arguments in self.samples(device, dtype, given):
            for save in (False, True):
                ours = self.op.forward_op(*arguments, save)
                exact = self.op.forward_ref(*self.double(arguments), save)
                for result, expected in zip(ours, exact, strict=True):
                    assert result.dtype == dtype
                    self.assert_close(result, expected)

    @pytest.mark.parametrize("with_h", [True, False])
    @pytest.mark.parametrize("with_bias", [True, False])
    def test_inplace_equals_reference(self, device, dtype, with_h, with_bias, require_compiled):
        require_compiled(self.op.name, device)
        for x_gates, h_gates, bias, c_prev in self.samples(device, dtype, (with_h, with_bias, True)):
            h, c, _ = self.op.forward_ref(*self.double((x_gates, h_gates, bias, c_prev)), False)
            cell = c_prev.clone(memory_format=memory_format_of(x_gates))
            address = cell.data_ptr()
            self.assert_close(self.op.inplace(x_gates, h_gates, bias, cell), h)
            self.assert_close(cell, c)
            assert cell.data_ptr() == address

    @every_choice
    def test_backward_equals_reference(self, device, dtype, given, require_compiled):
        require_compiled(self.op.name, device)
        generator = torch.Generator().manual_seed(0)
        for arguments in self.samples(device, dtype, given):
            x_gates, c_prev = arguments[0], arguments[3]
            _, c, gates = self.op.forward_ref(*arguments, True)
            layout = "channels_last" if not c.is_contiguous() else "contiguous"
            grads = [tensor(generator, c.shape, x_gates.device, dtype, layout) / 3 for _ in range(2)]
            for grad_h, grad_c in (grads, (grads[0], None), (None, grads[1])):
                for want_bias in (True, False):
                    ours = self.op.backward_op(grad_h, grad_c, gates, c_prev, c, want_bias)
                    exact = self.op.backward_ref(*self.double((grad_h, grad_c, gates, c_prev, c)), want_bias)
                    for result, expected in zip(ours[:2], exact[:2], strict=True):
                        self.assert_close(result, expected)
                    added = exact[0].transpose(0, 1).flatten(1).abs().sum(1)
                    self.assert_close(ours[2], exact[2], added if want_bias else None)

    @every_choice
    def test_every_instruction_set_equals_reference(self, dtype, given, cpu_level):
        self.test_equals_reference("cpu", dtype, given, lambda *_: None)
        self.test_backward_equals_reference("cpu", dtype, given, lambda *_: None)

    def test_sums_do_not_depend_on_threads(self):
        """Of the bias gradient; the other results are sums of nothing."""
        threads = torch.get_num_threads()
        for shape, layout in (
            ((3, 64, 4, 4, 4), "contiguous"),
            ((2, 16, 65, 70), "contiguous"),
            ((2, 16, 65, 70), "channels_last"),
        ):
            arguments = self.arguments(shape, "cpu", torch.float32, layout)
            _, c, gates = self.op.forward_ref(*arguments, True)
            try:
                sums = []
                for count in (1, 2, 3):
                    torch.set_num_threads(count)
                    sums.append(self.op.backward_op(c, c, gates, arguments[3], c, True)[2])
            finally:
                torch.set_num_threads(threads)
            assert torch.equal(sums[0], sums[1])
            assert torch.equal(sums[0], sums[2])

    @every_choice
    @pytest.mark.parametrize("layout", ["contiguous", "channels_last", "expanded"])
    def test_gradients_are_those_of_the_reference(self, device, layout, given, require_compiled):
        """Through autograd, from h and c; the reference by autograd, too."""
        require_compiled(self.op.name, device)
        arguments = self.arguments((2, 5, 4, 3), device, torch.float32, layout, given)
        leaves = [None if x is None else x.detach().requires_grad_() for x in arguments]
        doubles = [None if x is None else x.detach().double().requires_grad_() for x in arguments]
        h, c = self.op(*leaves)
        h_exact, c_exact, _ = self.op.forward_ref(*doubles, False)
        weight = torch.randn(h.shape, device=device)
        (h * weight + 2 * c * weight.flip(0)).sum().backward()
        (h_exact * weight + 2 * c_exact * weight.flip(0)).sum().backward()
        for ours, exact in zip(leaves, doubles, strict=True):
            if ours is not None:
                torch.testing.assert_close(ours.grad.double(), exact.grad, rtol=1e-5, atol=1e-5)

    def test_gradient_of_one_state_alone(self, device):
        for which in (0, 1):
            arguments = [x.requires_grad_() for x in self.arguments((2, 3, 4, 4), device, torch.float64)]
            exact = [x.detach().clone().requires_grad_() for x in arguments]
            self.op(*arguments)[which].sum().backward()
            self.op.forward_ref(*exact, False)[which].sum().backward()
            for ours, expected in zip(arguments, exact, strict=True):
                torch.testing.assert_close(ours.grad, expected.grad)

    def test_gradcheck(self, device, require_compiled):
        require_compiled(self.op.name, device)
        for layout in ("contiguous", "channels_last"):
            for given in ((True, True, True), (False, True, False), (False, False, True)):
                arguments = self.arguments((2, 2, 3, 2), device, torch.float64, layout, given)
                assert torch.autograd.gradcheck(
                    lambda *tensors: self.op(*tensors),
                    tuple(None if x is None else (x / 3).detach().requires_grad_() for x in arguments),
                )

    def test_second_derivatives_are_refused(self):
        x = self.arguments((2, 3, 4, 4), "cpu", torch.float64)[0].requires_grad_()
        (grad,) = torch.autograd.grad(self.op(x, None, None, None)[0].sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="second derivatives are not implemented"):
            grad.sum().backward()

    def test_nothing_is_kept_without_gradients(self):
        x = self.arguments((2, 3, 4, 4), "cpu", torch.float32)[0]
        assert self.op(x, None, None, None)[0].grad_fn is None
        with torch.no_grad():
            assert self.op(x.requires_grad_(), None, None, None)[0].grad_fn is None
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
            self.op(*(t.detach().requires_grad_() for t in self.arguments((2, 3, 4, 4), "cpu", torch.float32)))
        sizes = sorted(t.numel() for t in kept)
        assert sizes == [2 * 3 * 16, 2 * 3 * 16, 2 * 3 * self.op.count * 16]  # c, c_prev and one of the gates' size

    def test_opcheck(self, device, require_compiled):
        """On a sample of each kind: it takes a tenth of a second a call."""
        require_compiled(self.op.name, device)
        for layout, given in (("channels_last", ALL), ("contiguous", (False, False, False))):
            for shape in ((2, 3, 4, 5), (0, 3, 4, 5)) if layout == "contiguous" else ((2, 3, 4, 5),):
                arguments = self.arguments(shape, device, torch.float32, layout, given)
                leaves = [None if x is None else x.detach().requires_grad_() for x in arguments]
                torch.library.opcheck(self.op.forward_op.default, (*arguments, False))
                torch.library.opcheck(self.op.forward_op.default, (*leaves, True))
                h, c, gates = self.op.forward_op(*arguments, True)
                torch.library.opcheck(self.op.backward_op.default, (h, None, gates, arguments[3], c, True))
                torch.library.opcheck(self.op.inplace_op.default, (*arguments[:3], c))

    def test_compile(self, device):
        torch._dynamo.reset()
        compiled = torch.compile(lambda *tensors: self.op(*tensors), fullgraph=True, backend="aot_eager")
        for shape in ((2, 3, 4, 4), (3, 3, 4, 4)):
            arguments = self.arguments(shape, device, torch.float32)
            leaves = [x.detach().requires_grad_() for x in arguments]
            eager = [x.detach().requires_grad_() for x in arguments]
            h, c = compiled(*leaves)
            h_eager, c_eager = self.op(*eager)
            assert torch.equal(h, h_eager)
            (h + c).sum().backward()
            (h_eager + c_eager).sum().backward()
            for ours, expected in zip(leaves, eager, strict=True):
                assert torch.equal(ours.grad, expected.grad)

    def test_export(self, device):
        outer = self

        class Module(torch.nn.Module):
            def forward(self, x_gates, h_gates, bias, c_prev):
                return outer.op(x_gates, h_gates, bias, c_prev)

        batch = torch.export.Dim("batch", min=1)
        shapes = {"x_gates": {0: batch}, "h_gates": {0: batch}, "bias": None, "c_prev": {0: batch}}
        arguments = tuple(self.arguments((2, 3, 4, 4), device, torch.float32))
        program = torch.export.export(Module(), arguments, dynamic_shapes=shapes)
        longer = self.arguments((5, 3, 4, 4), device, torch.float32)
        for ours, expected in zip(program.module()(*longer), self.op(*longer), strict=True):
            assert torch.equal(ours, expected)

    def test_nan_and_infinity(self, device, dtype):
        """NaN stays within its unit; infinite pre-activations saturate."""
        x_gates, h_gates, bias, c_prev = self.arguments((1, 2, 3, 3), device, dtype)
        for gate in range(self.op.count):
            broken = x_gates.clone()
            broken[0, 2 * gate, 1, 1] = float("nan")
            h, _ = self.op(broken, h_gates, bias, c_prev)
            assert h.isnan().sum() == 1
            assert h[0, 0, 1, 1].isnan()
        infinite = torch.full_like(x_gates, float("inf"))
        h, c = self.op(infinite, None, None, c_prev)
        torch.testing.assert_close(c, c_prev + 1, rtol=1e-2, atol=1e-3)
        torch.testing.assert_close(h, torch.tanh(c), rtol=1e-2, atol=1e-3)
        h, c = self.op(-infinite, None, None, c_prev)
        torch.testing.assert_close(c, torch.zeros_like(c), rtol=0, atol=1e-3)

    def test_bad_arguments(self):
        count = self.op.count
        x, c = torch.zeros(2, 3 * count, 4, 4), torch.zeros(2, 3, 4, 4)
        bad = [
            (([1.0], None, None, None), TypeError, "x_gates: expected a tensor, got list"),
            (
                (x.int(), None, None, None),
                TypeError,
                "x_gates: expected float32, float64, bfloat16 or float16, got int32",
            ),
            (
                (x[0, :, 0, 0], None, None, None),
                ValueError,
                rf"x_gates: expected \(N, {count}C, ...\), got \({3 * count},\)",
            ),
            (
                (x[:, 1:], None, None, None),
                ValueError,
                f"x_gates: expected a multiple of {count} channels, got {3 * count - 1}",
            ),
            ((x, x[:1], None, None), ValueError, rf"h_gates: expected \(2, {3 * count}, 4, 4\), got \(1, "),
            ((x, x.double(), None, None), TypeError, "h_gates: expected float32 like x_gates, got float64"),
            ((x, None, torch.zeros(3), None), ValueError, rf"bias: expected \({3 * count},\), got \(3,\)"),
            ((x, None, None, x), ValueError, r"c_prev: expected \(2, 3, 4, 4\), got \(2, "),
            ((x, None, None, c.bool()), TypeError, "c_prev: expected float32, float64, bfloat16 or float16, got bool"),
            ((x, None, None, c.to("meta")), ValueError, "c_prev: expected a tensor on cpu, got one on meta"),
        ]
        for arguments, error, message in bad:
            with pytest.raises(error, match=message):
                self.op(*arguments)
        with pytest.raises(ValueError, match="c: expected the memory format of x_gates, got strides"):
            self.op.inplace(x, None, None, c.transpose(2, 3)[..., :].expand(2, 3, 4, 4).contiguous().transpose(2, 3))
        with pytest.raises(ValueError, match="expected no gradients"):
            self.op.inplace(x.clone().requires_grad_(), None, None, c)

    def test_a_backward_pass_notices_that_its_state_was_overwritten(self, device):
        x, c = torch.zeros(2, 3 * self.op.count, 4, 4, device=device), torch.zeros(2, 3, 4, 4, device=device)
        _, kept = self.op(x.clone().requires_grad_(), None, None, c)
        with torch.no_grad():
            self.op.inplace(x, None, None, kept)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            kept.sum().backward()
        with torch.inference_mode():  # whose tensors nobody can want a gradient of
            self.op.inplace(x.clone(), None, None, c.clone())

    def test_bad_arguments_of_the_kernel(self, device, require_compiled):
        require_compiled(self.op.name, device)
        count = self.op.count
        x, c = torch.zeros(2, 3 * count, 4, 4, device=device), torch.zeros(2, 3, 4, 4, device=device)
        bad = [
            ((x.int(), None, None, None), "x_gates: expected float32, float64, bfloat16 or float16, got Int"),
            ((x[0, :, 0, 0], None, None, None), "x_gates: expected at least 2 dimensions"),
            ((x[:, 1:], None, None, None), f"x_gates: expected a multiple of {count} channels, got {3 * count - 1}"),
            ((x, x[:1], None, None), rf"h_gates: expected \(2, {3 * count}, 4, 4\), got \(1, {3 * count}, 4, 4\)"),
            ((x, x.double(), None, None), "h_gates: expected Float, got Double"),
            ((x, None, x[0, 1:, 0, 0], None), rf"bias: expected \({3 * count}\), got"),
            ((x, None, None, c[1:]), r"c_prev: expected \(2, 3, 4, 4\), got \(1, 3, 4, 4\)"),
        ]
        for arguments, message in bad:
            with pytest.raises(RuntimeError, match=message):
                self.op.forward_op(*arguments, False)
        with pytest.raises(RuntimeError, match="c: expected the memory format of x_gates"):
            self.op.inplace_op(x, None, None, c.transpose(2, 3))

    def test_cuda_graph(self, device):
        if device != "cuda":
            pytest.skip("CUDA graphs need CUDA")
        arguments = self.arguments((2, 8, 4, 4, 4), device, torch.float32)
        self.op(*arguments)  # before the capture: loads the kernel
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            h, c, gates = self.op.forward_op(*arguments, True)
            grads = self.op.backward_op(h, c, gates, arguments[3], c, True)
        arguments[0].neg_()
        graph.replay()
        expected = self.op.forward_op(*arguments, True)
        assert torch.equal(h, expected[0])
        for ours, theirs in zip(
            grads, self.op.backward_op(*expected[:2], expected[2], arguments[3], expected[1], True), strict=True
        ):
            assert torch.equal(ours, theirs)

    def test_other_stream_and_device(self, device):
        if device != "cuda":
            pytest.skip("streams need CUDA")
        arguments = self.arguments((2, 8, 4, 4, 4), f"cuda:{torch.cuda.device_count() - 1}", torch.float32)
        expected = self.op(*arguments)
        stream = torch.cuda.Stream(arguments[0].device)
        stream.wait_stream(torch.cuda.current_stream(arguments[0].device))
        with torch.cuda.stream(stream):
            results = self.op(*arguments)
        stream.synchronize()
        for ours, theirs in zip(results, expected, strict=True):
            assert ours.device == arguments[0].device
            assert torch.equal(ours, theirs)
