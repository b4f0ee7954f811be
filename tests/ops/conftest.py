"""What the tests of every op share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import jc3d.ops
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


@pytest.fixture
def run_python():
    """Runs Python in a process of its own, with the package that this one uses, or with one ``before`` it.

    Its path is this one's, without what .pth files do: an editable install finds a module of any copy by its name.
    """

    def run(code, before=(), without_module=False):
        if without_module:  # what a missing module looks like to an import
            code = "import sys; sys.modules['jc3d._C'] = None\n" + code
        package = Path(jc3d.ops.__file__).parents[2]
        inherited = {name: value for name, value in os.environ.items() if name != REQUIRE_VARIABLE}
        path = os.pathsep.join(map(str, [*before, package, *filter(None, sys.path)]))
        return subprocess.run(
            [sys.executable, "-S", "-c", code],
            env={**inherited, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


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
