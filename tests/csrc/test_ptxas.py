"""No CUDA kernel spills registers or uses local memory: what `ptxas -v` says of every one of them."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

KERNELS = Path(__file__).parents[2] / "csrc" / "kernels"
SOURCES = sorted(KERNELS.glob("*.cu"))
ARCHS = ("sm_80", "sm_90")
NVCC = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")
MEMORY = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """(source, architecture) -> what ptxas says."""
    if NVCC is None:
        pytest.skip("no nvcc on this machine")
    folder = tmp_path_factory.mktemp("ptxas")

    def compile_one(job):
        source, arch = job
        command = [NVCC, "-std=c++17", "-O3", f"-arch={arch}", "-Xptxas", "-v", "-cubin", str(source)]
        run = subprocess.run(
            [*command, "-o", str(folder / f"{source.stem}.{arch}")],
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
        return run.stderr

    jobs = [(source, arch) for source in SOURCES for arch in ARCHS]
    with ThreadPoolExecutor() as pool:
        return dict(zip(jobs, pool.map(compile_one, jobs), strict=True))


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_spills_and_no_local_memory(reports, source, arch):
    report = reports[source, arch]
    names = re.findall(r"Compiling entry function '(\S+)'", report)
    memory = MEMORY.findall(report)
    assert names
    assert len(memory) >= len(names)
    assert set(memory) == {("0", "0", "0")}, report


def test_the_pattern_sees_a_stack_frame(tmp_path):
    """An array indexed at run time cannot stay in registers."""
    if NVCC is None:
        pytest.skip("no nvcc on this machine")
    source = tmp_path / "local.cu"
    source.write_text(
        "__global__ void local(int* x, int n) {\n"
        "  int values[64];\n"
        "  for (int i = 0; i < n; ++i) values[(i * x[i]) & 63] = x[i];\n"
        "  for (int i = 0; i < n; ++i) x[i] = values[(x[i] * 7) & 63];\n"
        "}\n"
    )
    command = [NVCC, "-arch=sm_90", "-Xptxas", "-v", "-cubin", str(source), "-o", str(tmp_path / "local.cubin")]
    report = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stderr
    assert int(MEMORY.findall(report)[0][0]) >= 256
