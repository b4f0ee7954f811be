#!/usr/bin/env bash
# The checks that need a GPU: builds from source against the PyTorch at hand, runs the CUDA tests, every kernel under
# compute-sanitizer, and the benchmarks. Results (JSON, logs) go to $OUT, else bench/results.
#
#   bench/gpu.sh [STAGE ...]     build, test, sanitize, bench; all if none is named
#
# A stage that fails does not keep the next ones from running; the exit status says that one did. No network: Python
# needs torch with CUDA, setuptools >= 77, wheel, ninja, pybind11, numpy, pillow, safetensors, pytest, pytest-benchmark.
set -uo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
out=${OUT:-$root/bench/results}
python=${PYTHON:-python3}
cuda_bin=$(dirname "$(command -v nvcc || command -v "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" || echo /usr/bin/nvcc)")
sanitizer=$(command -v compute-sanitizer || echo "$cuda_bin/compute-sanitizer")
mkdir -p "$out"
export JC3D_REQUIRE_EXTENSION=1

build() {
  # The installed package is meant, not the source tree: everything below runs from a folder that is not the root.
  (cd "$root" && JC3D_CUDA=1 NVCC_APPEND_FLAGS="-Xptxas -Werror" "$python" -m pip install --no-build-isolation --no-deps --force-reinstall .) &&
    (cd "$out" && "$python" - <<'PY'
import torch
from jc3d.ops.build_info import build_info
from jc3d.ops import status

assert torch.cuda.is_available(), "no GPU that this PyTorch can use"
assert not any("built without" in devices["cuda"].reason for devices in status().values()), status()
print(build_info(), torch.cuda.get_device_name())
PY
    )
}

run_tests() {
  (cd "$out" && "$python" -m pytest -c "$root/pyproject.toml" -p no:cacheprovider "$@")
}

tests() {
  run_tests "$root/tests" -k cuda --ignore "$root/tests/cli" --junitxml=tests.xml -q
}

sanitize() {
  local status=0
  for tool in memcheck racecheck initcheck; do
    # Without PyTorch's caching allocator every tensor is an allocation of its own, so an overrun is seen. Kernels
    # outside namespace jc3d are not looked at.
    (cd "$out" && PYTORCH_NO_CUDA_MEMORY_CACHING=1 "$sanitizer" --tool "$tool" --error-exitcode 1 \
      --kernel-name kns=jc3d "$python" -m pytest -c "$root/pyproject.toml" -p no:cacheprovider "$root/tests/ops" -q \
      -k "cuda and equals_reference" > "sanitizer_$tool.log" 2>&1) || { tail -20 "$out/sanitizer_$tool.log"; status=1; }
  done
  return "$status"
}

benchmarks() {
  local status=0
  run_tests "$root/bench/data" -k cuda --benchmark-json=data.json -q || status=1
  run_tests "$root/bench/ops" -k cuda --benchmark-json=benchmarks.json -q || status=1
  run_tests "$root/bench/pipeline/bench_gpu.py" --benchmark-json=pipeline.json -q || status=1
  run_tests "$root/bench/pipeline/bench_training_step.py" -k cuda --benchmark-json=training.json -q || status=1
  "$python" "$root/bench/report.py" "$out/benchmarks.json" > "$out/ops.md" || status=1
  # Every single sample is kept in the file: hundreds of megabytes that nobody reads.
  "$python" - "$out/benchmarks.json" "$out/data.json" "$out/pipeline.json" "$out/training.json" <<'PY' || status=1
import json
import sys
from pathlib import Path

for path in map(Path, sys.argv[1:]):
    run = json.loads(path.read_text())
    for bench in run["benchmarks"]:
        bench["stats"].pop("data", None)
    path.write_text(json.dumps(run, indent=1))
PY
  return "$status"
}

failed=()
for stage in "${@:-build test sanitize bench}"; do
  for name in $stage; do
    case "$name" in
      build) build ;;
      test) tests ;;
      sanitize) sanitize ;;
      bench) benchmarks ;;
      *) echo "stage: expected build, test, sanitize or bench, got $name"; exit 2 ;;
    esac || failed+=("$name")
  done
done
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
