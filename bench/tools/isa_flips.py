"""How often a bit of a code depends on the processor: ``python bench/tools/isa_flips.py``.

Encodes the same views in processes whose convolution library is held to different instruction sets, and counts the
bits that differ from those of the first. The pre-activations must differ by rounding, or the sets were never in force.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys

import numpy as np

OBJECTS, VIEWS = 40, 5
INSTRUCTION_SETS = ("DEFAULT", "AVX2", "AVX512_CORE", "SSE41")

_ENCODE = f"""
import sys
import numpy as np, torch, jc3d
from jc3d.data.sources.procedural import ProceduralSource
source = ProceduralSource("test")
views = torch.cat([source.get(index, 0, {VIEWS}).views for index in range({OBJECTS})]).float() / 255
model = jc3d.load("implicit-384").model
seen = []
model.head.register_forward_hook(lambda module, inputs, output: seen.append(output.clone()))
model.encode(views)
np.save(sys.stdout.buffer, torch.cat(seen).numpy())
"""


def pre_activations(instruction_set: str) -> np.ndarray:
    """(views, bits) float32: a bit is 1 where they are not negative."""
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": instruction_set}
    run = subprocess.run([sys.executable, "-c", _ENCODE], capture_output=True, env=environment, check=True)
    return np.load(io.BytesIO(run.stdout))


def main() -> None:
    """Prints a line for each instruction set."""
    first = pre_activations(INSTRUCTION_SETS[0])
    differed = False
    for name in INSTRUCTION_SETS[1:]:
        other = pre_activations(name)
        flips, largest = int(((other >= 0) != (first >= 0)).sum()), float(np.abs(other - first).max())
        differed |= largest > 0
        print(f"{name}: {flips} of {first.size} bits differ, pre-activations by up to {largest:.1e}")
    if not differed:
        sys.exit("no pre-activation differs: the convolution library did not follow ONEDNN_MAX_CPU_ISA")


if __name__ == "__main__":
    main()
