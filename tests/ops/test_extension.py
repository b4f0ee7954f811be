import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import jc3d.ops
from jc3d._version import __version__
from jc3d.ops import status
from jc3d.ops._extension import REQUIRE_VARIABLE, extension
from jc3d.ops.build_info import build_info

# One op a module, named after it.
OPS = {path.stem for path in Path(jc3d.ops.__file__).parent.glob("*.py") if not path.stem.startswith("_")}
KERNELS = Path(__file__).parents[2] / "csrc" / "kernels"
CPU_ONLY = {"conv2d_max_pool", "occupancy_head", "upsample_conv3d", "winograd_conv3d"}
BLOCK = "import sys; sys.modules['jc3d._C'] = None\n"  # what a missing module looks like to an import


def run(code, **environment):
    """Runs Python in a process of its own, with the package that this one uses."""
    package = str(Path(jc3d.ops.__file__).parents[2])
    inherited = {name: value for name, value in os.environ.items() if name != REQUIRE_VARIABLE}
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_status_names_every_op():
    assert set(status()) == OPS
    assert {"binarize", "pack_bits", "unpack_bits"} <= OPS
    for devices in status().values():
        assert set(devices) == {"cpu", "cuda"}
        assert all(device.compiled or device.reason for device in devices.values())


def test_status_agrees_with_the_build():
    info = build_info()
    for name, devices in status().items():
        assert devices["cpu"].compiled == info.extension
        assert devices["cuda"].compiled == (info.cuda is not None and name not in CPU_ONLY)


def test_build_info():
    info = build_info()
    assert info.version == __version__
    assert info.torch == torch.__version__
    if not info.extension:
        assert info.reason
        pytest.skip(info.reason)
    assert info.torch_target == "2.10"
    assert info.compiler.startswith(("gcc ", "clang "))
    assert info.cpu_level in ("scalar", "avx2", "avx512")
    if info.cuda is not None:
        assert float(info.cuda) >= 11.8
        assert all(arch.startswith(("sm_", "compute_")) for arch in info.cuda_archs)


def gpu_code(data):
    """Names of the entries of the fat binaries in a shared library: ("sm_80", "compute_90", ...) of each.

    The layout is NVIDIA's: a header (magic number, version, its own size, size of what follows), then entries (kind,
    version, their header's size, size; the compute capability at byte 28); kind 1 is PTX, 2 machine code.
    """
    magic = struct.pack("<I", 0xBA55ED50)
    start = data.find(magic)
    while start >= 0:
        header_size, size = struct.unpack_from("<HQ", data, start + 6)
        position, end = start + header_size, start + header_size + size
        names = []
        while position < end:
            kind, _, entry_header, entry_size = struct.unpack_from("<HHIQ", data, position)
            names.append(("compute_" if kind == 1 else "sm_") + str(struct.unpack_from("<I", data, position + 28)[0]))
            position += entry_header + entry_size
        yield tuple(names)
        start = data.find(magic, end)


def test_every_cuda_kernel_is_there_for_every_gpu():
    info = build_info()
    if info.cuda is None:
        pytest.skip("built without CUDA kernels")
    binaries = list(gpu_code(Path(extension().module.__file__).read_bytes()))
    assert len(binaries) == len(list(KERNELS.glob("*.cu")))
    for names in binaries:
        assert sorted(names) == sorted(info.cuda_archs)


def test_without_the_module_everything_still_works():
    result = run(
        BLOCK
        + "import torch; from jc3d.ops import *; x = torch.randn(2, 9)\n"
        + "assert torch.equal(unpack_bits(pack_bits(x), 9), binarize(x))\n"
        + "print(status()['pack_bits']['cpu'])"
    )
    assert result.returncode == 0, result.stderr
    assert "compiled=False" in result.stdout
    assert "jc3d._C" in result.stdout


def test_required_module_that_is_missing_is_an_error():
    result = run(BLOCK + "import jc3d.ops", **{REQUIRE_VARIABLE: "1"})
    assert result.returncode != 0
    assert f"ImportError: {REQUIRE_VARIABLE}=1, and the compiled module can't be loaded" in result.stderr


def test_one_warning_for_cuda_tensors_without_cuda_kernels():
    # No GPU needed: the tensors only say that they are on one.
    result = run(
        BLOCK
        + "import torch, warnings; from jc3d.ops import binarize, pack_bits\n"
        + "class OnGpu(torch.Tensor): is_cuda = True\n"
        + "with warnings.catch_warnings(record=True) as caught:\n"
        + "    warnings.simplefilter('always')\n"
        + "    pack_bits(torch.ones(8)); print(len(caught))\n"
        + "    for op in (pack_bits, binarize, pack_bits): op(torch.ones(8).as_subclass(OnGpu))\n"
        + "    print(len(caught), caught[0].message)"
    )
    assert result.returncode == 0, result.stderr
    before, after = result.stdout.splitlines()
    assert before == "0"
    assert after.startswith("1 jc3d ops run their plain PyTorch reference on CUDA tensors: the compiled module")
