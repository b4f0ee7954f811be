import struct
from pathlib import Path

import pytest
import torch

from jc3d._version import __version__
from jc3d.ops._extension import extension
from jc3d.ops.build_info import build_info

KERNELS = Path(__file__).parents[2] / "csrc" / "kernels"


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
