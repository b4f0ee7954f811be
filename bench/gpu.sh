#!/usr/bin/env bash
# The checks that need a GPU: builds from source against the PyTorch at hand, runs the CUDA tests, every kernel under
# compute-sanitizer, and the benchmarks. Results (JSON, logs) go to $OUT, else bench/results.
# Needs a PyTorch with CUDA, nvcc, compute-sanitizer, ninja, pybind11, pytest, pytest-benchmark; no network.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
out=${OUT:-$root/bench/results}
python=${PYTHON:-python3}
mkdir -p "$out"

JC3D_CUDA=1 "$python" -m pip install --no-build-isolation --no-deps --force-reinstall "$root"

# From a folder that is not the root: the installed package is meant, not the source tree.
cd "$out"
export JC3D_REQUIRE_EXTENSION=1
"$python" - <<'PY'
import torch
from jc3d._build import build_info
from jc3d.ops import status

assert torch.cuda.is_available(), "no GPU that this PyTorch can use"
assert all(devices["cuda"].compiled for devices in status().values()), status()
print(build_info(), torch.cuda.get_device_name())
PY
run_tests=("$python" -m pytest -c "$root/pyproject.toml" -p no:cacheprovider)

"${run_tests[@]}" "$root/tests/ops" "$root/tests/csrc" --junitxml=tests.xml

for tests in "$root"/tests/ops/test_*.py; do
  op=$(basename "$tests" .py)
  [ "$op" = test_extension ] && continue
  for tool in memcheck racecheck initcheck; do
    # Without PyTorch's caching allocator every tensor is an allocation of its own, so an overrun is seen.
    PYTORCH_NO_CUDA_MEMORY_CACHING=1 compute-sanitizer --tool "$tool" --error-exitcode 1 \
      "${run_tests[@]}" "$tests" -q -k "cuda and equals_reference" > "sanitizer_${op#test_}_$tool.log" 2>&1 ||
      { tail -40 "sanitizer_${op#test_}_$tool.log"; exit 1; }
  done
done

"${run_tests[@]}" "$root/bench/ops" -k cuda --benchmark-json=ops_cuda.json
"${run_tests[@]}" "$root/bench/ops" -k cpu --benchmark-json=ops_cpu.json

"$python" "$root/bench/report.py" ops_cuda.json > ops_cuda.md
"$python" "$root/bench/report.py" ops_cpu.json > ops_cpu.md
