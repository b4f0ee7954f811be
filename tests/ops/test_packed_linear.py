import re

import numpy as np
import pytest
import torch

from jc3d.ops import pack_bits, packed_linear, quantize_rows, unpack_bits
from jc3d.ops.packed_linear import packed_linear_ref

WEIGHT_DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.int8)
# Largest difference to the product in float64, over the sum of what is added up to a result. Measured on a CPU, of ours
# and the reference: 1.1e-7, 2.7e-16, 1.9e-8, 6.9e-8 (int8 sums are exact; scale and bias round).
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-14, torch.bfloat16: 1e-6, torch.int8: 3e-7}
# Leading sizes of the codes, n, out: whole tiles and cache lines, and what is left of them.
SHAPES = [
    ((1,), 1024, 64),
    ((5,), 1024, 35),
    ((40,), 129, 17),
    ((2, 3), 200, 16),
    ((), 65, 7),
    ((67,), 72, 5),
    ((3,), 1, 1),
    ((2,), 9000, 3),
    ((0,), 16, 4),
    ((2, 0), 5, 4),
    ((3,), 8, 0),
    ((3,), 0, 5),
]


@pytest.fixture(params=WEIGHT_DTYPES, ids=lambda dtype: str(dtype).removeprefix("torch."))
def weight_dtype(request):
    return request.param


def result_dtype(weight):
    return torch.float64 if weight.dtype == torch.float64 else torch.float32


def sample(leading, n, out, device, dtype, bias=True):
    """(packed, weight, bias, scale); the bits after the n-th are random, too."""
    generator = torch.Generator().manual_seed(n + out)
    packed = torch.randint(256, (*leading, (n + 7) // 8), generator=generator, dtype=torch.uint8)
    scale = None
    if dtype == torch.int8:
        weight = torch.randint(-128, 128, (out, n), generator=generator, dtype=torch.int8)
        scale = torch.rand(out, generator=generator)
    else:
        weight = torch.randn(out, n, generator=generator, dtype=torch.float64).to(dtype)
    biases = torch.randn(out, generator=generator).to(result_dtype(weight)) if bias else None
    return [tensor if tensor is None else tensor.to(device) for tensor in (packed, weight, biases, scale)]


def samples(device, dtype):
    for leading, n, out in SHAPES:
        yield sample(leading, n, out, device, dtype)
    yield sample((5,), 100, 20, device, dtype, bias=False)


def views(device, dtype):
    """Arguments that are not contiguous, or whose rows start anywhere in memory."""
    packed, weight, bias, scale = sample((6,), 200, 24, device, dtype)
    wide = torch.zeros(12, 30, dtype=torch.uint8, device=device)
    wide[::2, 3:28] = packed
    strided = [None if x is None else torch.stack((x, x), 1)[:, 0] for x in (bias, scale)]
    yield wide[::2, 3:28], weight.T.contiguous().T, *strided
    yield packed[:1].expand(3, 4, -1), weight[:, :1].expand(-1, 200), bias, scale
    flat = torch.zeros(24 * 200 + 1, dtype=dtype, device=device)
    flat[1:] = weight.flatten()
    yield packed.flatten()[25:].view(5, 25), flat[1:].view(24, 200), bias, scale


def assert_close(ours, packed, weight, bias, scale):
    """The third opinion: numpy's bits and its product in float64."""
    n = weight.shape[1]
    bits = np.unpackbits(packed.cpu().numpy(), axis=-1, count=n)
    signs = torch.from_numpy(bits.astype(np.float64) * 2 - 1)
    weight = weight.double().cpu() * (1 if scale is None else scale.double().cpu()[:, None])
    added = weight.abs().sum(1)
    exact = torch.from_numpy(signs.numpy() @ weight.T.numpy())
    if bias is not None:
        exact, added = exact + bias.double().cpu(), added + bias.double().cpu().abs()
    assert ours.shape == (*packed.shape[:-1], len(weight))
    assert ours.is_contiguous()
    difference = (ours.double().cpu() - exact).abs() / added.clamp(min=1e-30)
    assert difference.numel() == 0 or difference.max() <= TOLERANCE[weight_dtype_of(ours, scale)]


def weight_dtype_of(ours, scale):
    return torch.int8 if scale is not None else ours.dtype


def test_equals_numpy(device, weight_dtype, require_compiled):
    require_compiled("packed_linear", device)
    for args in (*samples(device, weight_dtype), *views(device, weight_dtype)):
        y = packed_linear(*args)
        assert y.dtype == result_dtype(args[1])
        assert y.device == args[0].device
        assert_close(y, *args)


def test_reference_equals_numpy(weight_dtype):
    for args in (*samples("cpu", weight_dtype), *views("cpu", weight_dtype)):
        assert_close(packed_linear_ref(*args), *args)


def test_equals_reference(device, weight_dtype, require_compiled):
    require_compiled("packed_linear", device)
    for args in (*samples(device, weight_dtype), *views(device, weight_dtype)):
        added = args[1].double().abs().sum(1).max().item() if args[1].numel() else 1.0
        tolerance = 2 * TOLERANCE[weight_dtype] * (added + 4)
        torch.testing.assert_close(packed_linear(*args), packed_linear_ref(*args), rtol=0, atol=tolerance)


def test_int8_sums_are_exact(device):
    packed, weight, _, scale = sample((33,), 9001, 40, device, torch.int8)
    sums = packed_linear(packed, weight, None, torch.ones_like(scale))
    exact = unpack_bits(packed, 9001, torch.float64) @ weight.double().T
    assert torch.equal(sums.double(), exact)
    for value in (-128, 127):  # nothing overflows
        y = packed_linear(packed[:1] * 0 + 255, torch.full_like(weight, value), None, torch.ones_like(scale))
        assert (y == value * 9001).all()


def test_every_instruction_set_gives_the_same_bits(weight_dtype, cpu_level, require_compiled):
    require_compiled("packed_linear", "cpu")
    module = pytest.importorskip("jc3d._C")
    every = [*samples("cpu", weight_dtype), *views("cpu", weight_dtype)]
    results = [packed_linear(*args) for args in every]
    for y, args in zip(results, every, strict=True):
        assert_close(y, *args)
    module.limit_cpu_level(module.CpuLevel.scalar)
    for y, args in zip(results, every, strict=True):
        assert torch.equal(y, packed_linear(*args))


def test_batch_and_threads_do_not_matter(weight_dtype, cpu_level):
    """Bit for bit: a code by itself, in any batch, and any number of threads."""
    packed, weight, bias, scale = sample((70,), 1000, 301, "cpu", weight_dtype)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        whole = packed_linear(packed, weight, bias, scale)
        for count in (1, 2, 3, 5, 6, 7, 40):
            assert torch.equal(packed_linear(packed[-count:], weight, bias, scale), whole[-count:])
        some = slice(3, 130)
        part = packed_linear(packed, weight[some], bias[some], None if scale is None else scale[some])
        assert torch.equal(part, whole[:, some])
        for count in (2, 3):
            torch.set_num_threads(count)
            assert torch.equal(packed_linear(packed, weight, bias, scale), whole)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    "weight_dtype", [torch.float32, torch.float64, torch.bfloat16], indirect=True
)  # int8 is finite
def test_infinite_weights_stay_in_their_rows(device, weight_dtype):
    packed, weight, bias, _ = sample((3,), 70, 9, device, weight_dtype)
    finite = packed_linear(packed, weight, bias)
    weight[4, 0] = float("inf")
    weight[6, 69] = float("nan")
    y = packed_linear(packed, weight, bias)
    assert torch.equal(y[:, 4].abs(), torch.full_like(y[:, 4], float("inf")))
    assert y[:, 6].isnan().all()
    rest = [0, 1, 2, 3, 5, 7, 8]
    assert torch.equal(y[:, rest], finite[:, rest])


def test_gradients(device):
    packed, weight, bias, _ = sample((2, 3), 13, 4, device, torch.float64)
    leaves = (weight.requires_grad_(), bias.requires_grad_())
    assert torch.autograd.gradcheck(lambda w, b: packed_linear(packed, w, b), leaves)
    assert torch.autograd.gradgradcheck(lambda w, b: packed_linear(packed, w, b), leaves)
    assert torch.autograd.gradcheck(lambda w: packed_linear(packed[0, 0], w), leaves[:1])


def test_gradients_equal_those_of_the_reference(device, weight_dtype):
    for leading in ((), (5,), (2, 3), (0,)):
        args = sample(leading, 37, 6, device, weight_dtype)
        gradients = []
        for run in (packed_linear, packed_linear_ref):
            leaves = [x if x is None or not x.is_floating_point() else x.clone().requires_grad_() for x in args]
            wanted = [x for x in leaves if x is not None and x.requires_grad]
            gradients.append(torch.autograd.grad(run(*leaves).square().sum(), wanted))
        assert len(gradients[0]) == 2  # weight or scale, and bias
        for ours, expected in zip(*gradients, strict=True):
            torch.testing.assert_close(ours, expected)


def test_quantize_rows():
    torch.manual_seed(0)
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        weight = (torch.randn(20, 33) * torch.logspace(-6, 6, 20)[:, None]).to(dtype)
        weight[3] = 0
        quantized, scale = quantize_rows(weight)
        assert quantized.dtype == torch.int8
        assert scale.dtype == torch.float32
        error = (quantized.double() * scale.double()[:, None] - weight.double()).abs()
        assert (error <= scale.double()[:, None] * (0.5 + 1e-4)).all()
        magnitude = quantized.abs().amax(1)
        assert magnitude[3] == scale[3] == 0
        assert (magnitude[[*range(3), *range(4, 20)]] == 127).all()
    assert quantize_rows(torch.tensor([[127.0, 0.5, 1.5, -2.5]]))[0].tolist() == [[127, 0, 2, -2]]
    for shape in ((0, 3), (3, 0)):
        assert [tuple(x.shape) for x in quantize_rows(torch.zeros(shape))] == [shape, shape[:1]]


def test_quantized_product_is_as_close_as_promised(device):
    packed, weight, bias, _ = sample((7,), 1024, 50, device, torch.float32)
    quantized, scale = quantize_rows(weight)
    difference = (packed_linear(packed, quantized, bias, scale) - packed_linear(packed, weight, bias)).abs()
    assert (difference <= scale * 512 * 1.001).all()


def test_follows_pack_bits(device):
    torch.manual_seed(0)
    x, weight = torch.randn(3, 77, device=device), torch.randn(9, 77, device=device)
    signs = torch.where(x >= 0, 1.0, -1.0)
    torch.testing.assert_close(packed_linear(pack_bits(x), weight), signs @ weight.T, rtol=1e-5, atol=1e-5)


def test_opcheck(device, weight_dtype, require_compiled):
    """On a sample of each kind: it takes a tenth of a second a call."""
    require_compiled("packed_linear", device)
    for leading, n, out in (((5,), 129, 17), ((2, 3), 72, 5), ((), 65, 7), ((0,), 16, 4), ((3,), 0, 5)):
        args = sample(leading, n, out, device, weight_dtype)
        for i in (1, 2, 3):
            if args[i] is not None and args[i].is_floating_point():
                args[i].requires_grad_()
        torch.library.opcheck(torch.ops.jc3d.packed_linear.default, args)


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile(device, dynamic):
    torch._dynamo.reset()
    compiled = torch.compile(
        lambda *args: packed_linear(*args) * 2, fullgraph=True, dynamic=dynamic, backend="aot_eager"
    )
    for dtype in (torch.float32, torch.int8):
        for rows in (4, 7):
            args = sample((rows,), 37, 6, device, dtype)
            assert torch.equal(compiled(*args), packed_linear(*args) * 2)


class Layer(torch.nn.Module):
    def forward(self, packed, weight, bias, scale):
        return packed_linear(packed, weight, bias, scale)


def test_export(device):
    args = tuple(sample((4,), 37, 6, device, torch.int8))
    shapes = {"packed": {0: torch.export.Dim("rows", min=1)}, "weight": None, "bias": None, "scale": None}
    program = torch.export.export(Layer(), args, dynamic_shapes=shapes)
    more = sample((9,), 37, 6, device, torch.int8)
    assert torch.equal(program.module()(*more), packed_linear(*more))


def test_cuda_graph(device, weight_dtype):
    if device != "cuda":
        pytest.skip("CUDA graphs need CUDA")
    packed, weight, bias, scale = sample((40,), 1024, 96, device, weight_dtype)
    packed_linear(packed, weight, bias, scale)  # before the capture: loads the kernel
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = packed_linear(packed, weight, bias, scale)
    packed.copy_(255 - packed)
    graph.replay()
    assert torch.equal(y, packed_linear(packed, weight, bias, scale))


@pytest.mark.parametrize("device", ["cuda"], indirect=True)  # the CPU has a test of its own
def test_the_batch_does_not_matter_on_a_gpu(device, weight_dtype):
    packed, weight, bias, scale = sample((70,), 1000, 301, device, weight_dtype)
    whole = packed_linear(packed, weight, bias, scale)
    for count in (1, 2, 5, 9, 40):
        assert torch.equal(packed_linear(packed[-count:], weight, bias, scale), whole[-count:])


def bad_arguments():
    """(exception, message, changes to good arguments)."""
    packed, weight = torch.zeros(2, 4, dtype=torch.uint8), torch.zeros(3, 32)
    int8, ones = torch.zeros(3, 32, dtype=torch.int8), torch.ones(3)
    dtypes = "float32, float64, bfloat16 or int8"
    return [
        (TypeError, "packed: expected a tensor of uint8, got ndarray", {"packed": np.zeros((2, 4), np.uint8)}),
        (TypeError, "packed: expected a tensor of uint8, got int32", {"packed": packed.int()}),
        (ValueError, "packed: expected at least 1 dimension, got 0", {"packed": packed[0, 0]}),
        (TypeError, f"weight: expected a tensor of {dtypes}, got float16", {"weight": weight.half()}),
        (ValueError, "weight: expected (out, n), got (32,)", {"weight": weight[0]}),
        (
            ValueError,
            "packed: expected 5 bytes in the last dimension for a weight of 33 columns, got 4",
            {"weight": torch.zeros(3, 33)},
        ),
        (ValueError, "weight: expected at most 4194304 columns of int8", {"weight": int8[:, :1].expand(3, 1 << 23)}),
        (TypeError, "scale: expected one for an int8 weight, got none", {"weight": int8}),
        (TypeError, "scale: expected none for a float32 weight, got one", {"scale": ones}),
        (TypeError, "scale: expected a tensor of float32, got float64", {"weight": int8, "scale": ones.double()}),
        (ValueError, "scale: expected (3,), got (2,)", {"weight": int8, "scale": ones[:2]}),
        (TypeError, "bias: expected a tensor of float32, got float64", {"bias": ones.double()}),
        (TypeError, "bias: expected a tensor of float64, got float32", {"bias": ones, "weight": weight.double()}),
        (ValueError, "bias: expected (3,), got (1, 3)", {"bias": ones[None]}),
        (ValueError, "weight: expected a tensor on cpu as packed, got one on meta", {"weight": weight.to("meta")}),
    ]


@pytest.mark.parametrize(
    ("exception", "message", "changes"), bad_arguments(), ids=lambda x: x if type(x) is str else ""
)
def test_bad_arguments(exception, message, changes):
    good = {"packed": torch.zeros(2, 4, dtype=torch.uint8), "weight": torch.zeros(3, 32)}
    with pytest.raises(exception, match=re.escape(message)):
        packed_linear(**{**good, **changes})


def test_bad_arguments_of_quantize_rows():
    with pytest.raises(TypeError, match="weight: expected a tensor of float32, float64 or bfloat16, got int8"):
        quantize_rows(torch.zeros(2, 3, dtype=torch.int8))
    with pytest.raises(ValueError, match=r"weight: expected \(out, n\), got \(3,\)"):
        quantize_rows(torch.zeros(3))


def test_bad_arguments_of_the_kernel(device, require_compiled):
    require_compiled("packed_linear", device)
    run = torch.ops.jc3d.packed_linear
    packed = torch.zeros(2, 4, dtype=torch.uint8, device=device)
    weight, ones = torch.zeros(3, 32, device=device), torch.ones(3, device=device)
    with pytest.raises(RuntimeError, match="packed: expected Byte, got Int"):
        run(packed.int(), weight, None, None)
    with pytest.raises(RuntimeError, match=r"weight: expected \(out, n\), got 1 dimensions"):
        run(packed, ones, None, None)
    with pytest.raises(RuntimeError, match="weight: expected float32, float64, bfloat16 or int8, got Half"):
        run(packed, weight.half(), None, None)
    with pytest.raises(RuntimeError, match="packed: expected 2 bytes in the last dimension for a weight of 9 columns"):
        run(packed, weight[:, :9], None, None)
    with pytest.raises(RuntimeError, match="scale: expected one for an int8 weight, got none"):
        run(packed, weight.to(torch.int8), None, None)
    with pytest.raises(RuntimeError, match="scale: expected none for a weight that is not int8, got one"):
        run(packed, weight, None, ones)
    with pytest.raises(RuntimeError, match=r"bias: expected \(3\), got \(2\)"):
        run(packed, weight, ones[:2], None)
    with pytest.raises(RuntimeError, match="bias: expected Float, got Double"):
        run(packed, weight, ones.double(), None)
