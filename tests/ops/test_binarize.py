import math

import numpy as np
import pytest
import torch

from jc3d.ops import binarize
from jc3d.ops.binarize import binarize_ref

SHAPES = [(32, 1024), (3, 129), (2, 3, 65), (200,), (1,), (), (0,), (0, 16), (5, 0), (33, 1)]
SPECIAL = [0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e-7, -1e-7, 1.0, -1.0, 2.0, -2.0]
SEED = 20_240_607


def sample(shape, device, dtype):
    """Outputs of a tanh sprinkled with special numbers."""
    generator = torch.Generator().manual_seed(sum(shape))
    x = torch.randn(shape, generator=generator, dtype=torch.float64).tanh()
    special = torch.tensor(SPECIAL, dtype=torch.float64)[torch.randint(len(SPECIAL), shape, generator=generator)]
    return torch.where(torch.rand(shape, generator=generator) < 0.1, special, x).to(dtype).to(device)


def samples(device, dtype):
    """(x, seed): every layout, deterministic and stochastic."""
    whole = [sample(shape, device, dtype) for shape in SHAPES]
    wide = sample((6, 10, 80), device, dtype)
    views = [wide[:, ::2], wide[..., 3:70], wide.transpose(0, 2), wide[:1].expand(4, -1, -1), wide.flatten()[1:]]
    channels_last = [
        sample((2, 5, 4, 9), device, dtype).contiguous(memory_format=torch.channels_last),
        sample((2, 5, 1, 9), device, dtype).contiguous(memory_format=torch.channels_last),
        sample((2, 5, 4, 3, 2), device, dtype).contiguous(memory_format=torch.channels_last_3d),
    ]
    seed = torch.tensor([SEED], device=device)
    return [(x, s) for x in (*whole, *views, *channels_last) for s in (None, seed)]


def numpy_draw(x, seed):
    """The draw in numpy's unsigned integers: a third opinion on the hash."""

    def mix(z):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    increment = np.uint64(0x9E3779B97F4A7C15)
    key = mix(np.array([seed], dtype=np.int64).view(np.uint64) + increment)
    counter = np.arange(1, x.numel() + 1, dtype=np.uint64).reshape(x.shape)
    uniform = (mix(key + counter * increment) >> np.uint64(40)).astype(np.float64) * 2.0**-24
    wide = np.float64 if x.dtype == torch.float64 else np.float32
    threshold = x.double().cpu().numpy().astype(wide) * wide(0.5) + wide(0.5)
    return torch.from_numpy(np.where(uniform < threshold, 1.0, -1.0)).to(x.dtype)


def test_equals_reference(device, dtype, require_compiled):
    require_compiled("binarize", device)
    for x, seed in samples(device, dtype):
        signs = binarize(x, seed is not None, seed)
        expected = binarize_ref(x, seed)
        assert signs.dtype == x.dtype
        assert signs.stride() == expected.stride()
        assert torch.equal(signs, expected)


def test_every_instruction_set_equals_reference(dtype, cpu_level):
    for x, seed in samples("cpu", dtype):
        assert torch.equal(binarize(x, seed is not None, seed), binarize_ref(x, seed))


@pytest.mark.parametrize("seed", [0, 1, -1, SEED, 2**63 - 1, -(2**63)])
def test_equals_numpy(device, dtype, seed):
    x = sample((7, 65), device, dtype)
    assert torch.equal(binarize(x, stochastic=True, seed=seed).cpu(), numpy_draw(x, seed))


def test_sign(device, dtype):
    x = torch.tensor([0.5, 0.0, -0.0, -0.5, float("inf"), -float("inf"), float("nan")], device=device, dtype=dtype)
    assert binarize(x).tolist() == [1, 1, 1, -1, 1, -1, -1]


def test_ends_of_the_draw(device, dtype):
    x = torch.tensor([1.0, 2.0, -1.0, -2.0, float("inf"), -float("inf"), float("nan")], device=device, dtype=dtype)
    signs = binarize(x.repeat(1000, 1), stochastic=True, seed=3)
    assert torch.equal(signs, torch.tensor([1, 1, -1, -1, 1, -1, -1], device=device, dtype=dtype).expand(1000, 7))


@pytest.mark.parametrize("mean", [-0.9, -0.3, 0.0, 0.05, 0.7])
def test_mean_of_the_draw_is_x(device, mean):
    count = 1 << 20
    signs = binarize(torch.full((count,), mean, device=device), stochastic=True, seed=SEED)
    five_sigma = 5 * math.sqrt((1 - mean**2) / count)
    assert abs(signs.double().mean().item() - mean) < five_sigma


def test_draws_are_independent(device):
    """Of the neighbouring element, of the next row of 1024 and of the neighbouring seed."""
    count = 1 << 20
    x = torch.zeros(count, device=device)
    signs, others = (binarize(x, stochastic=True, seed=seed).double() for seed in (SEED, SEED + 1))
    for a, b in ((signs[:-1], signs[1:]), (signs[:-1024], signs[1024:]), (signs, others)):
        assert abs((a * b).mean().item()) < 5 / math.sqrt(count)


def test_same_seed_same_bits(device, dtype):
    x = sample((5, 6, 7, 8), device, dtype)
    first = binarize(x, stochastic=True, seed=1)
    assert torch.equal(first, binarize(x, stochastic=True, seed=1))
    assert torch.equal(first, binarize(x, stochastic=True, seed=torch.tensor(1, device=device)))
    assert torch.equal(first, binarize(x.contiguous(memory_format=torch.channels_last), stochastic=True, seed=1))
    assert torch.equal(first.cpu(), binarize(x.cpu(), stochastic=True, seed=1))
    assert not torch.equal(first, binarize(x, stochastic=True, seed=2))


def test_same_bits_for_any_number_of_threads():
    x = sample((300, 1024), "cpu", torch.float32)
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            results.append(binarize(x, stochastic=True, seed=1))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_without_seed_follows_the_generator_of_torch(device):
    x = torch.zeros(1000, device=device)
    torch.manual_seed(5)
    first, second = binarize(x, stochastic=True), binarize(x, stochastic=True)
    torch.manual_seed(5)
    assert torch.equal(first, binarize(x, stochastic=True))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("stochastic", [False, True])
def test_gradient_passes_straight_through(device, dtype, stochastic):
    # No gradcheck: the derivative of a sign is zero, the straight-through gradient is not.
    for x, _ in samples(device, dtype):
        x = x.detach().requires_grad_()
        grad = torch.randn(x.shape, device=device).to(dtype)
        (received,) = torch.autograd.grad(binarize(x, stochastic, 3), x, grad)
        assert torch.equal(received, grad)


def test_gradgradcheck(device):
    """The gradient is linear in the incoming one, and that is what a second derivative sees."""
    x = sample((3, 5), device, torch.float64).nan_to_num().requires_grad_()
    weight = torch.randn(3, 5, device=device, dtype=torch.float64, requires_grad=True)

    def gradient(weight):
        return torch.autograd.grad((binarize(x) * weight**2).sum(), x, create_graph=True)

    assert torch.autograd.gradcheck(gradient, (weight,))


def test_opcheck(device, require_compiled):
    """On a sample of each kind: it takes a tenth of a second a call."""
    require_compiled("binarize", device)
    wide = sample((2, 5, 4, 18), device, torch.float32)
    last = wide[..., ::2].contiguous(memory_format=torch.channels_last)
    empty, scalar = sample((0, 16), device, torch.float32), sample((), device, torch.float32)
    for x in (wide, wide[:, ::2], wide[:1].expand(4, -1, -1, -1), last, empty, scalar):
        for seed in (None, torch.tensor([SEED], device=device)):
            torch.library.opcheck(torch.ops.jc3d.binarize.default, (x.detach().requires_grad_(), seed))
    torch.library.opcheck(torch.ops.jc3d.binarize.default, (wide, None))


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile(device, dynamic):
    torch._dynamo.reset()
    compiled = torch.compile(
        lambda x: binarize(x * 0.5, stochastic=True, seed=4), fullgraph=True, dynamic=dynamic, backend="aot_eager"
    )
    for n in (64, 37):
        x = sample((4, n), device, torch.float32).requires_grad_()
        signs = compiled(x)
        assert torch.equal(signs, binarize(x * 0.5, stochastic=True, seed=4))
        signs.sum().backward()
        assert torch.equal(x.grad, torch.full_like(x, 0.5))


def test_compile_draws_anew_each_call(device):
    torch._dynamo.reset()
    compiled = torch.compile(lambda x: binarize(x, stochastic=True), fullgraph=True, backend="aot_eager")
    x = torch.zeros(1000, device=device)
    assert not torch.equal(compiled(x), compiled(x))


class Module(torch.nn.Module):
    def forward(self, x):
        return binarize(x)


def test_export(device):
    shapes = {"x": {0: torch.export.Dim("rows", min=1)}}
    program = torch.export.export(Module(), (sample((4, 37), device, torch.float32),), dynamic_shapes=shapes)
    longer = sample((9, 37), device, torch.float32)
    assert torch.equal(program.module()(longer), binarize(longer))


def test_cuda_graph_draws_anew_each_replay(device):
    if device != "cuda":
        pytest.skip("CUDA graphs need CUDA")
    x = torch.zeros(1000, device=device)
    binarize(x, stochastic=True)  # before the capture: loads the kernel
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        signs = binarize(x, stochastic=True)
    graph.replay()
    first = signs.clone()
    graph.replay()
    assert not torch.equal(first, signs)


def test_bad_arguments():
    x = torch.zeros(4)
    with pytest.raises(TypeError, match="x: expected a tensor, got list"):
        binarize([1.0])
    with pytest.raises(TypeError, match="x: expected float32, float64, bfloat16 or float16, got int64"):
        binarize(torch.zeros(8, dtype=torch.int64))
    with pytest.raises(TypeError, match="seed: expected an integer or an int64 tensor, got float"):
        binarize(x, stochastic=True, seed=0.5)
    with pytest.raises(TypeError, match="seed: expected an integer or an int64 tensor, got int32"):
        binarize(x, stochastic=True, seed=torch.tensor([1], dtype=torch.int32))
    with pytest.raises(ValueError, match="seed: expected 1 element, got 2"):
        binarize(x, stochastic=True, seed=torch.tensor([1, 2]))
    with pytest.raises(ValueError, match=r"seed: expected an integer in \[-2\^63, 2\^63\), got 9223372036854775808"):
        binarize(x, stochastic=True, seed=2**63)
    with pytest.raises(ValueError, match="seed: expected a tensor on cpu, got one on meta"):
        binarize(x, stochastic=True, seed=torch.tensor(1, device="meta"))


def test_bad_arguments_of_the_kernel(device, require_compiled):
    require_compiled("binarize", device)
    x = torch.zeros(4, device=device)
    with pytest.raises(RuntimeError, match="x: expected float32, float64, bfloat16 or float16, got Int"):
        torch.ops.jc3d.binarize(x.int(), None)
    with pytest.raises(RuntimeError, match="seed: expected Long, got Int"):
        torch.ops.jc3d.binarize(x, torch.tensor([1], dtype=torch.int32, device=device))
    with pytest.raises(RuntimeError, match="seed: expected 1 element, got 2"):
        torch.ops.jc3d.binarize(x, torch.tensor([1, 2], device=device))
