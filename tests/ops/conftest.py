"""What the tests of every op share."""

import pytest
import torch

from jc3d.ops._extension import REQUIRE_VARIABLE, extension
from jc3d.ops._library import DEVICES, is_compiled

DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


@pytest.fixture(params=DEVICES)
def device(request):
    """Every device, skipped where this machine or its PyTorch has none."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU that this PyTorch can use")
    return request.param


@pytest.fixture(params=DTYPES, ids=lambda dtype: str(dtype).removeprefix("torch."))
def dtype(request):
    """Every dtype of the kernels."""
    return request.param


@pytest.fixture
def require_compiled():
    """Skips without a compiled kernel: the reference would be compared with itself. With JC3D_REQUIRE_EXTENSION=1,
    importing jc3d.ops has already failed."""

    def check(op, device):
        if extension().module is None:
            pytest.skip(f"{extension().reason} ({REQUIRE_VARIABLE}=1 turns this into a failure)")
        if device == "cuda" and not is_compiled(op, "cuda"):
            pytest.skip("built without CUDA kernels")
        assert is_compiled(op, device)

    return check


@pytest.fixture(params=["scalar", "avx2", "avx512"])
def cpu_level(request):
    """Every instruction set that this CPU has, one after the other."""
    module = extension().module
    if module is None:
        pytest.skip(extension().reason)
    wanted = getattr(module.CpuLevel, request.param)
    module.limit_cpu_level(wanted)
    try:
        if module.cpu_level() != wanted:
            pytest.skip(f"this CPU has no {request.param}")
        yield request.param
    finally:
        module.limit_cpu_level(module.CpuLevel.avx512)
