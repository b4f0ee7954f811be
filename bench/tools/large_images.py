"""Memory and time of the image codec on large images: ``python bench/tools/large_images.py [HEIGHTxWIDTH ...]``.

A Markdown table. Each image runs in a process of its own; *memory* is how far the peak of resident memory rises above
what it is with the model and the image, float32, in memory. *Seconds* are of one iteration.
"""

from __future__ import annotations

import time
from typing import Annotated

import typer
from fresh_process import call

SIZES = ["512x512", "1024x1024", "3072x4096", "6000x8000"]


def main(
    sizes: Annotated[list[str], typer.Argument(metavar="[HEIGHTxWIDTH]...")] = SIZES,
    refinement_steps: Annotated[int, typer.Option(min=0, help="Gradient steps of the sender.")] = 0,
) -> None:
    """Print the table."""
    print("| image | pixels, MB in float32 | encode | memory | decode | memory |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for size in sizes:
        height, width = map(int, size.split("x"))
        encode, encode_mb, decode, decode_mb = call(one_image, height, width, refinement_steps)
        megabytes = height * width * 12 / 1e6
        print(
            f"| {width} × {height} | {megabytes:.0f} | {encode} s | {encode_mb} MB | {decode} s | {decode_mb} MB |",
            flush=True,
        )


def one_image(height: int, width: int, refinement_steps: int) -> None:
    """Prints seconds and MB of encoding, and of decoding."""
    import torch
    from peak_memory import peak, reset

    import jc3d

    torch.set_num_threads(1)
    codec = jc3d.load("rnn-small")
    codec.decode(codec.encode(torch.rand(3, 64, 64), iterations=1))  # libraries set themselves up
    row = torch.linspace(0, 1, width).repeat(3, height, 1)
    before = reset()
    start = time.perf_counter()
    codes = codec.encode(row, iterations=1, refinement_steps=refinement_steps)
    middle, encode_peak = time.perf_counter(), peak()
    del row
    resting = reset()
    start_decode = time.perf_counter()
    codec.decode(codes)
    seconds = time.perf_counter() - start_decode
    print(f"{middle - start:.1f} {(encode_peak - before) / 1e3:.0f} {seconds:.1f} {(peak() - resting) / 1e3:.0f}")


if __name__ == "__main__":
    typer.run(main)
