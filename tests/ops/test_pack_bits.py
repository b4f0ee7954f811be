import numpy as np
import pytest
import torch

from jc3d.ops import pack_bits
from jc3d.ops.pack_bits import pack_bits_ref

# Whole vectors and bytes, odd ones, one element, none.
SHAPES = [(32, 1024), (3, 129), (7, 37), (2, 3, 65), (200,), (1,), (0,), (0, 16), (5, 0), (33, 1)]
SPECIAL = [0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e-7, -1e-7, 1.0, -1.0]


def sample(shape, device, dtype):
    """Random numbers sprinkled with the special ones."""
    generator = torch.Generator().manual_seed(sum(shape))
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    special = torch.tensor(SPECIAL, dtype=torch.float64)[torch.randint(len(SPECIAL), shape, generator=generator)]
    return torch.where(torch.rand(shape, generator=generator) < 0.2, special, x).to(dtype).to(device)


def samples(device, dtype):
    whole = [sample(shape, device, dtype) for shape in SHAPES]
    wide = sample((6, 10, 80), device, dtype)
    views = [wide[:, ::2], wide[..., 3:70], wide.transpose(0, 2), wide[0, :, 5], wide.flatten()[1:-6]]
    channels_last = sample((2, 5, 4, 9), device, dtype).contiguous(memory_format=torch.channels_last)
    return [*whole, *views, channels_last, wide[:1].expand(4, -1, -1)]


def numpy_bits(x):
    return torch.from_numpy(np.packbits(x.double().cpu().numpy() >= 0, axis=-1))


def test_equals_reference_and_numpy(device, dtype, require_compiled):
    require_compiled("pack_bits", device)
    for x in samples(device, dtype):
        packed = pack_bits(x)
        assert packed.dtype == torch.uint8
        assert packed.is_contiguous()
        assert packed.device == x.device
        assert torch.equal(packed, pack_bits_ref(x))
        assert torch.equal(packed.cpu(), numpy_bits(x))


def test_every_instruction_set_equals_numpy(dtype, cpu_level):
    for x in samples("cpu", dtype):
        assert torch.equal(pack_bits(x), numpy_bits(x))


def test_reference_equals_numpy(dtype):
    for x in samples("cpu", dtype):
        assert torch.equal(pack_bits_ref(x), numpy_bits(x))


def test_more_than_one_thread(device):
    x = sample((3, 1_000_003), device, torch.float32)
    assert torch.equal(pack_bits(x).cpu(), numpy_bits(x))
    x = sample((1, 2_000_000), device, torch.float32)
    assert torch.equal(pack_bits(x).cpu(), numpy_bits(x))


def test_bit_order():
    assert pack_bits(torch.tensor([1.0, -1, -1, -1, -1, -1, -1, -1, 1])).tolist() == [0b10000000, 0b10000000]


def test_opcheck(device, require_compiled):
    require_compiled("pack_bits", device)
    for x in samples(device, torch.float32):
        torch.library.opcheck(torch.ops.jc3d.pack_bits.default, (x,))


def test_result_carries_no_gradient(device):
    assert not pack_bits(torch.randn(2, 9, device=device, requires_grad=True)).requires_grad


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile(device, dynamic):
    torch._dynamo.reset()
    compiled = torch.compile(lambda x: pack_bits(x * 2), fullgraph=True, dynamic=dynamic, backend="aot_eager")
    for n in (64, 37):
        x = sample((4, n), device, torch.float32)
        assert torch.equal(compiled(x), pack_bits(x))


class Packer(torch.nn.Module):
    def forward(self, x):
        return pack_bits(x)


def test_export(device):
    x = sample((4, 37), device, torch.float32)
    shapes = {"x": {0: torch.export.Dim("rows", min=1)}}
    program = torch.export.export(Packer(), (x,), dynamic_shapes=shapes)
    longer = sample((9, 37), device, torch.float32)
    assert torch.equal(program.module()(longer), pack_bits(longer))


def test_cuda_graph(device):
    if device != "cuda":
        pytest.skip("CUDA graphs need CUDA")
    x = sample((32, 1024), device, torch.float32)
    pack_bits(x)  # before the capture: loads the kernel
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        packed = pack_bits(x)
    x.copy_(-x)
    graph.replay()
    assert torch.equal(packed, pack_bits_ref(x))


def test_bad_arguments():
    with pytest.raises(TypeError, match="x: expected a tensor, got ndarray"):
        pack_bits(np.zeros(8))
    with pytest.raises(TypeError, match="x: expected float32, float64, bfloat16 or float16, got int32"):
        pack_bits(torch.zeros(8, dtype=torch.int32))
    with pytest.raises(ValueError, match="x: expected at least 1 dimension, got 0"):
        pack_bits(torch.tensor(1.0))


def test_bad_arguments_of_the_kernel(device, require_compiled):
    require_compiled("pack_bits", device)
    with pytest.raises(RuntimeError, match="x: expected float32, float64, bfloat16 or float16, got Int"):
        torch.ops.jc3d.pack_bits(torch.zeros(8, dtype=torch.int32, device=device))
    with pytest.raises(RuntimeError, match="x: expected at least 1 dimension, got 0"):
        torch.ops.jc3d.pack_bits(torch.tensor(1.0, device=device))
