"""Classical codecs on one view of a procedural test object: ``python bench/tools/classical_codecs.py [INDEX]``.

A Markdown table of PSNR and of bytes of the whole stream and of its payload, by target ratio, for every back end that
is installed; *over* marks a target that was not met. ``jc3d evaluate --model jpeg2000`` measures many views.
"""

from __future__ import annotations

import torch
import typer
from torch import Tensor

from jc3d.codec.classical import encode_image, jpeg2000_backends
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.metrics import psnr
from jc3d.reproduce.markdown import table

RATIOS = (48, 96, 192, 384)


def cell(view: Tensor, codec: str, backend: str, ratio: int, header_free: bool) -> tuple[str, str]:
    """The library, and what it made of (1, 3, H, W) uint8."""
    result = encode_image(
        view[0].permute(1, 2, 0).numpy(), codec, ratio=ratio, header_free=header_free, backend=backend
    )
    decoded = torch.from_numpy(result.decode()).permute(2, 0, 1)[None]
    over = "" if result.met else ", *over*"
    sizes = f"{result.num_bytes} / {result.payload_bytes}"
    return result.library, f"{float(psnr(decoded, view)):.1f} dB, {sizes}{over}"


def main(index: int = typer.Argument(5, help="Of the object in the procedural test split.")) -> None:
    """Prints the table."""
    view = ProceduralSource("test").get(index, 0, 1).views
    ways = [("jpeg2000", name) for name, backend in jpeg2000_backends().items() if backend.available]
    rows = []
    for codec, backend in [*ways, ("jpeg", "pillow"), ("webp", "pillow")]:
        for header_free in (False, True):
            cells = [cell(view, codec, backend, ratio, header_free) for ratio in RATIOS]
            rows.append([codec, cells[0][0], "payload" if header_free else "whole", *(text for _, text in cells)])
    targets = (f"{ratio}:1, {view.numel() // ratio} B" for ratio in RATIOS)
    print(table(("codec", "library", "counted", *targets), rows, texts=3))


if __name__ == "__main__":
    typer.run(main)
