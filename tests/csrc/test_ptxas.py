"""The build's own flags let `ptxas` refuse what is slow without a word; CI builds every kernel with them."""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "setup.py"
NVCC = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")
SOURCES = {
    "registers": "__global__ void add(int* x) { x[threadIdx.x] += 1; }",
    # An array indexed at run time cannot stay in registers.
    "local memory": """
        __global__ void local(int* x, int n) {
          int values[64];
          for (int i = 0; i < n; ++i) values[(i * x[i]) & 63] = x[i];
          for (int i = 0; i < n; ++i) x[i] = values[(x[i] * 7) & 63];
        }""",
    # 1,024 threads have 64 registers each, for 128 numbers.
    "spills": """
        __global__ void __launch_bounds__(1024) spill(float* x) {
          float v[128];
          #pragma unroll
          for (int i = 0; i < 128; ++i) v[i] = x[i * 1024 + threadIdx.x];
          __syncthreads();
          #pragma unroll
          for (int i = 0; i < 128; ++i) x[(127 - i) * 1024 + threadIdx.x] = v[i] * v[i * 7 % 128] + v[i * 13 % 128];
        }""",
}


def ptxas_warnings():
    """What setup.py hands to nvcc."""
    for node in ast.parse(SETUP.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "PTXAS_WARNINGS":
            return ast.literal_eval(node.value)
    raise AssertionError("setup.py: expected PTXAS_WARNINGS, got none")


@pytest.mark.parametrize(
    ("kind", "message"),
    [("registers", None), ("local memory", "Local memory used"), ("spills", "Registers are spilled")],
)
def test_kernels_that_leave_the_registers_are_refused(tmp_path, kind, message):
    if NVCC is None:
        pytest.skip("no nvcc on this machine")
    source = tmp_path / "kernel.cu"
    source.write_text(SOURCES[kind])
    command = [NVCC, "-O3", "-arch=sm_90", *ptxas_warnings(), "-Xptxas", "-Werror", "-cubin", str(source)]
    run = subprocess.run(
        [*command, "-o", str(tmp_path / "kernel.cubin")], capture_output=True, text=True, timeout=600, check=False
    )
    assert (run.returncode == 0) == (message is None), run.stderr
    assert message is None or message in run.stderr
