import numpy as np
import pytest
import torch

from jc3d.ops import binarize, pack_bits, unpack_bits
from jc3d.ops.unpack_bits import unpack_bits_ref

# Leading sizes and n.
SHAPES = [((32,), 1024), ((3,), 129), ((2, 3), 65), ((), 200), ((), 1), ((), 0), ((0,), 16), ((5,), 0), ((33,), 1)]


def sample(shape, device):
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randint(256, shape, generator=generator, dtype=torch.uint8).to(device)


def samples(device, dtype):
    """(packed, n, dtype): whole rows, then views, their bits after the n-th random too."""
    whole = [(sample((*leading, (n + 7) // 8), device), n, dtype) for leading, n in SHAPES]
    wide = sample((6, 10, 12), device)
    views = [wide[:, ::2], wide[..., 3:], wide.transpose(0, 2), wide[0, :, 5], wide[:1].expand(4, -1, -1)]
    views.append(wide.flatten()[1:])
    return whole + [(view, 8 * view.shape[-1] - lost, dtype) for view in views for lost in (0, 3)]


def numpy_signs(packed, n, dtype):
    bits = np.unpackbits(packed.cpu().numpy(), axis=-1, count=n)
    return torch.from_numpy(bits.astype(np.float64) * 2 - 1).to(dtype)


def test_equals_reference_and_numpy(device, dtype, require_compiled):
    require_compiled("unpack_bits", device)
    for args in samples(device, dtype):
        signs = unpack_bits(*args)
        assert signs.dtype == dtype
        assert signs.is_contiguous()
        assert signs.device == args[0].device
        assert torch.equal(signs, unpack_bits_ref(*args))
        assert torch.equal(signs.cpu(), numpy_signs(*args))


def test_reference_equals_numpy(dtype):
    for args in samples("cpu", dtype):
        assert torch.equal(unpack_bits_ref(*args), numpy_signs(*args))


def test_more_than_one_thread(device):
    for shape, n in (((3, 125_001), 1_000_003), ((1, 250_000), 2_000_000)):
        packed = sample(shape, device)
        assert torch.equal(unpack_bits(packed, n).cpu(), numpy_signs(packed, n, torch.float32))


def test_round_trip(device, dtype):
    for n in range(70):
        signs = binarize(torch.randn(3, n, device=device).to(dtype))
        assert torch.equal(unpack_bits(pack_bits(signs), n, dtype), signs)


def test_bit_order():
    assert unpack_bits(torch.tensor([0b10000000, 0b01111111], dtype=torch.uint8), 9).tolist() == [1, *[-1] * 8]


def test_opcheck(device, require_compiled):
    require_compiled("unpack_bits", device)
    for args in samples(device, torch.float32):
        torch.library.opcheck(torch.ops.jc3d.unpack_bits.default, args)


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile(device, dynamic):
    torch._dynamo.reset()
    compiled = torch.compile(
        lambda packed, n: unpack_bits(packed, n) * 2, fullgraph=True, dynamic=dynamic, backend="aot_eager"
    )
    for n in (64, 37):
        packed = sample((4, (n + 7) // 8), device)
        assert torch.equal(compiled(packed, n), unpack_bits(packed, n) * 2)


class Unpacker(torch.nn.Module):
    def forward(self, packed):
        return unpack_bits(packed, 37, torch.float64)


def test_export(device):
    shapes = {"packed": {0: torch.export.Dim("rows", min=1)}}
    program = torch.export.export(Unpacker(), (sample((4, 5), device),), dynamic_shapes=shapes)
    longer = sample((9, 5), device)
    assert torch.equal(program.module()(longer), unpack_bits(longer, 37, torch.float64))


def test_cuda_graph(device):
    if device != "cuda":
        pytest.skip("CUDA graphs need CUDA")
    packed = sample((32, 128), device)
    unpack_bits(packed, 1024)  # before the capture: loads the kernel
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        signs = unpack_bits(packed, 1024)
    packed.copy_(255 - packed)
    graph.replay()
    assert torch.equal(signs, unpack_bits_ref(packed, 1024, torch.float32))


def test_bad_arguments():
    packed = torch.zeros(2, 4, dtype=torch.uint8)
    with pytest.raises(TypeError, match="packed: expected a uint8 tensor, got ndarray"):
        unpack_bits(np.zeros(4, np.uint8), 32)
    with pytest.raises(TypeError, match="packed: expected a uint8 tensor, got int32"):
        unpack_bits(packed.int(), 32)
    with pytest.raises(TypeError, match="dtype: expected float32, float64, bfloat16 or float16, got int8"):
        unpack_bits(packed, 32, torch.int8)
    with pytest.raises(ValueError, match="packed: expected at least 1 dimension, got 0"):
        unpack_bits(packed[0, 0], 8)
    with pytest.raises(TypeError, match=r"n: expected an integer, got 32\.0"):
        unpack_bits(packed, 32.0)
    with pytest.raises(ValueError, match="n: expected 0 or more, got -1"):
        unpack_bits(packed, -1)
    for n, wanted in ((33, 5), (24, 3)):
        message = f"packed: expected {wanted} bytes in the last dimension for n = {n}, got 4"
        with pytest.raises(ValueError, match=message):
            unpack_bits(packed, n)


def test_bad_arguments_of_the_kernel(device, require_compiled):
    require_compiled("unpack_bits", device)
    packed = torch.zeros(2, 4, dtype=torch.uint8, device=device)
    with pytest.raises(RuntimeError, match="packed: expected Byte, got Int"):
        torch.ops.jc3d.unpack_bits(packed.int(), 32, torch.float32)
    with pytest.raises(RuntimeError, match="packed: expected 5 bytes in the last dimension for n = 33, got 4"):
        torch.ops.jc3d.unpack_bits(packed, 33, torch.float32)
    with pytest.raises(RuntimeError, match="n: expected 0 or more, got -1"):
        torch.ops.jc3d.unpack_bits(packed, -1, torch.float32)
    with pytest.raises(RuntimeError, match="dtype: expected float32, float64, bfloat16 or float16, got Char"):
        torch.ops.jc3d.unpack_bits(packed, 32, torch.int8)
