"""Memory and cold start at the paper's widths: ``python bench/tools/footprint.py [VIEWSxOBJECTS ...]``, Markdown.

Each contender runs in a process of its own. *Cold start* is from the start of the interpreter to the first result, the
weights coming from a file; *memory* is how far the peak of resident memory rises above what it is with torch imported.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from fresh_process import call

CASES = ["5x1", "5x8", "20x64"]
CONTENDERS = ("ours", "eager", "compile")


def main(cases: Annotated[list[str], typer.Argument(metavar="[VIEWSxOBJECTS]...")] = CASES) -> None:
    """Print the table."""
    print("| views × objects | contender | cold start | memory |")
    print("| --- | --- | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        call(save, folder)
        for case in cases:
            views, objects = map(int, case.split("x"))
            for contender in CONTENDERS:
                start = time.perf_counter()
                (megabytes,) = call(first_result, contender, folder, views, objects)
                seconds = time.perf_counter() - start
                print(f"| {views} × {objects} | {contender} | {seconds:.1f} s | {megabytes} MB |", flush=True)


def save(folder: str) -> None:
    """The same weights for all contenders."""
    import torch
    from plain_r2n2 import with_weights_of

    from jc3d.models import create, save_weights

    model = create("r2n2-paper").freeze()
    save_weights(Path(folder) / "ours.safetensors", model, {})
    torch.save(with_weights_of(model).state_dict(), Path(folder) / "plain.pt")


def first_result(contender: str, folder: str, views: int, objects: int) -> None:
    """Prints what one contender's first result takes of memory, in MB."""
    import torch
    from peak_memory import peak, reset

    before = reset()
    codes = torch.randn(objects, views, 1024, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        if contender == "ours":
            from jc3d.infer.batch import BatchReconstructor
            from jc3d.models import load

            BatchReconstructor(load(Path(folder) / "ours.safetensors"))(list(codes))
        else:
            from compiled import compiled
            from plain_r2n2 import PlainR2N2

            plain = PlainR2N2().eval()
            plain.load_state_dict(torch.load(Path(folder) / "plain.pt", weights_only=True))
            (compiled(plain) if contender == "compile" else plain)(codes)
    print(round((peak() - before) / 1024))


if __name__ == "__main__":
    typer.run(main)
