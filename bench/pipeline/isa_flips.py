"""How often a bit of a code depends on the processor: ``python bench/pipeline/isa_flips.py``.

Encodes the same views in processes whose convolution library is held to different instruction sets, and counts the
bits that differ from those of the first.
"""

from __future__ import annotations

import os
import subprocess
import sys

OBJECTS, VIEWS = 40, 5
INSTRUCTION_SETS = ("DEFAULT", "AVX2", "AVX512_CORE", "SSE41")

_ENCODE = f"""
import sys
import torch, jc3d
from jc3d.data.sources import ProceduralSource
source = ProceduralSource("test")
views = torch.cat([source.get(index, 0, {VIEWS}).views for index in range({OBJECTS})]).float() / 255
sys.stdout.buffer.write(jc3d.load("implicit-384").encode(views).bits.tobytes())
"""


def codes(instruction_set: str) -> int:
    """All codes as one large integer."""
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": instruction_set}
    run = subprocess.run([sys.executable, "-c", _ENCODE], capture_output=True, env=environment, check=True)
    return int.from_bytes(run.stdout, "big")


def main() -> None:
    """Prints a line for each instruction set."""
    first = codes(INSTRUCTION_SETS[0])
    total = OBJECTS * VIEWS * 1024
    for name in INSTRUCTION_SETS[1:]:
        print(f"{name}: {(codes(name) ^ first).bit_count()} of {total} bits differ from {INSTRUCTION_SETS[0]}")


if __name__ == "__main__":
    main()
