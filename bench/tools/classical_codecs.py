"""Classical codecs on one view of a procedural test object: ``python bench/tools/classical_codecs.py [INDEX]``.

A Markdown table of PSNR and of bytes of the whole stream and of its payload, by target ratio; *over* marks a target
that was not met.
"""

from __future__ import annotations

import sys

import numpy as np

from jc3d.codec.classical import encode_image, jpeg2000_backends
from jc3d.data.sources.procedural import ProceduralSource

RATIOS = (48, 96, 192, 384)


def psnr(image, other) -> float:
    """In dB, of 8-bit pixels."""
    return 10 * np.log10(255**2 / np.mean((image.astype(np.float64) - other) ** 2))


def main() -> None:
    """Prints the table."""
    index = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    view = ProceduralSource("test").get(index, 0, 1).views.numpy()[0].transpose(1, 2, 0)
    ways = [("jpeg2000", name) for name, backend in jpeg2000_backends().items() if backend.available]
    ways += [("jpeg", "pillow"), ("webp", "pillow")]
    print("| codec | library | counted |", " | ".join(f"{ratio}:1, {view.size // ratio} B" for ratio in RATIOS), "|")
    print("| --- | --- | --- |", " | ".join(["---:"] * len(RATIOS)), "|")
    for codec, backend in ways:
        for header_free in (False, True):
            cells = []
            for ratio in RATIOS:
                result = encode_image(view, codec, ratio=ratio, header_free=header_free, backend=backend)
                over = "" if result.met else ", *over*"
                sizes = f"{result.num_bytes} / {result.payload_bytes}"
                cells.append(f"{psnr(view, result.decode()):.1f} dB, {sizes}{over}")
            counted = "payload" if header_free else "whole"
            print(f"| {codec} | {result.library} | {counted} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
