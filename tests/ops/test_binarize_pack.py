import numpy as np
import pytest
import torch

from jc3d.ops import binarize, binarize_pack, pack_bits
from jc3d.ops.binarize_pack import binarize_pack_ref

# (N, *): an encoder's last map, odd ones, no space, one element, nothing.
SHAPES = [(3, 256, 2, 2), (2, 5, 4, 9), (2, 3, 2, 3, 5), (4, 37), (1, 1), (0, 8, 2, 2), (3, 0), (70, 16, 8, 8)]
SHAPES += [(2, 70, 4, 4), (2, 130, 1, 4), (3, 64, 1, 2), (2, 24, 1, 1), (2, 7, 8, 1), (2, 66, 2, 2)]


def sample(shape, device, dtype):
    generator = torch.Generator().manual_seed(sum(shape))
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    special = torch.tensor([0.0, -0.0, float("nan"), float("inf"), -float("inf")], dtype=torch.float64)
    picked = special[torch.randint(len(special), shape, generator=generator)]
    return torch.where(torch.rand(shape, generator=generator) < 0.2, picked, x).to(dtype).to(device)


def samples(device, dtype):
    whole = [sample(shape, device, dtype) for shape in SHAPES]
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    channels_last = [x.contiguous(memory_format=formats[x.dim()]) for x in whole if x.dim() in formats and x.numel()]
    wide = sample((4, 6, 10, 8), device, dtype)
    return [*whole, *channels_last, wide[:, ::2], wide.transpose(1, 3), wide[:1].expand(3, -1, -1, -1)]


def test_equals_reference(device, dtype, require_compiled):
    require_compiled("binarize_pack", device)
    for x in samples(device, dtype):
        packed = binarize_pack(x)
        assert packed.is_contiguous()
        assert torch.equal(packed, binarize_pack_ref(x))


def test_every_instruction_set_equals_reference(dtype, cpu_level):
    for x in samples("cpu", dtype):
        assert torch.equal(binarize_pack(x), binarize_pack_ref(x))


def test_equals_numpy(device, dtype):
    for x in samples(device, dtype):
        bits = x.double().cpu().numpy().reshape(len(x), -1) >= 0 if x.numel() else np.zeros(x.flatten(1).shape)
        assert torch.equal(binarize_pack(x).cpu(), torch.from_numpy(np.packbits(bits.astype(bool), axis=-1)))


def test_is_the_tanh_the_binarizer_and_the_packing(device, dtype):
    for x in samples(device, dtype):
        assert torch.equal(binarize_pack(x), pack_bits(binarize(torch.tanh(x)).contiguous().flatten(1)))


def test_more_than_one_thread():
    x = sample((300, 64, 8, 8), "cpu", torch.float32).contiguous(memory_format=torch.channels_last)
    assert torch.equal(binarize_pack(x), binarize_pack_ref(x))


def test_opcheck(device, require_compiled):
    """On a sample of each kind: it takes a tenth of a second a call."""
    require_compiled("binarize_pack", device)
    x, wide = sample((2, 5, 4, 9), device, torch.float32), sample((2, 3, 2, 3, 5), device, torch.float32)
    last = x.contiguous(memory_format=torch.channels_last), wide.contiguous(memory_format=torch.channels_last_3d)
    for tensor in (x, *last, x[:, ::2], x.transpose(1, 3), x[:1].expand(3, -1, -1, -1), x[:0], x[:, :0]):
        torch.library.opcheck(torch.ops.jc3d.binarize_pack.default, (tensor,))


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile(device, dynamic):
    torch._dynamo.reset()
    compiled = torch.compile(binarize_pack, fullgraph=True, dynamic=dynamic, backend="aot_eager")
    for batch in (2, 5):
        x = sample((batch, 5, 3, 3), device, torch.float32)
        assert torch.equal(compiled(x), binarize_pack(x))


class Module(torch.nn.Module):
    def forward(self, x):
        return binarize_pack(x)


def test_export(device):
    shapes = {"x": {0: torch.export.Dim("batch", min=1)}}
    program = torch.export.export(Module(), (sample((2, 5, 3, 3), device, torch.float32),), dynamic_shapes=shapes)
    longer = sample((7, 5, 3, 3), device, torch.float32)
    assert torch.equal(program.module()(longer), binarize_pack(longer))


def test_bad_arguments():
    with pytest.raises(TypeError, match="x: expected a tensor, got list"):
        binarize_pack([1.0])
    with pytest.raises(TypeError, match="x: expected float32, float64, bfloat16 or float16, got int64"):
        binarize_pack(torch.zeros(2, 8, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"x: expected \(N, ...\), got \(8,\)"):
        binarize_pack(torch.zeros(8))


def test_bad_arguments_of_the_kernel(device, require_compiled):
    require_compiled("binarize_pack", device)
    with pytest.raises(RuntimeError, match="x: expected float32, float64, bfloat16 or float16, got Int"):
        torch.ops.jc3d.binarize_pack(torch.zeros(2, 8, dtype=torch.int32, device=device))
    with pytest.raises(RuntimeError, match="x: expected at least 2 dimensions"):
        torch.ops.jc3d.binarize_pack(torch.zeros(8, device=device))
