"""Memory and time of the image codec on large images: ``python bench/tools/large_images.py``, a Markdown table.

``python bench/tools/large_images.py HEIGHT WIDTH [SEARCH_STEPS]`` prints the numbers of one size, encoded after a
search for bits.

Each image runs in a process of its own; *memory* is how far the peak of resident memory rises above what it is with the
model and the image, float32, in memory. *Seconds* are of one iteration.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

SIZES = ((512, 512), (1024, 1024), (3072, 4096), (6000, 8000))  # height, width


def main() -> None:
    """Prints the table."""
    print("| image | pixels, MB in float32 | encode | memory | decode | memory |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for height, width in SIZES:
        command = [sys.executable, __file__, str(height), str(width)]
        cells = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        encode, encode_mb, decode, decode_mb = cells
        megabytes = height * width * 12 / 1e6
        print(
            f"| {width} × {height} | {megabytes:.0f} | {encode} s | {encode_mb} MB | {decode} s | {decode_mb} MB |",
            flush=True,
        )


def _run(height: int, width: int, search_steps: int = 0) -> None:
    import torch
    from peak_memory import peak, reset

    import jc3d

    torch.set_num_threads(1)
    codec = jc3d.load("rnn-small")
    codec.decode(codec.encode(torch.rand(3, 64, 64), iterations=1))  # libraries set themselves up
    row = torch.linspace(0, 1, width).repeat(3, height, 1)
    before = reset()
    start = time.perf_counter()
    codes = codec.encode(row, iterations=1, search_steps=search_steps)
    middle, encode_peak = time.perf_counter(), peak()
    del row
    resting = reset()
    start_decode = time.perf_counter()
    codec.decode(codes)
    seconds = time.perf_counter() - start_decode
    print(f"{middle - start:.1f} {(encode_peak - before) / 1e3:.0f} {seconds:.1f} {(peak() - resting) / 1e3:.0f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _run(*map(int, sys.argv[1:]))
    else:
        main()
