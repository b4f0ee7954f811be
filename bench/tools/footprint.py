"""Memory and cold start at the paper's widths: ``python bench/tools/footprint.py``, a Markdown table.

Each contender runs in a process of its own. *Cold start* is from the start of the interpreter to the first result, the
weights coming from a file; *memory* is how far the peak of resident memory rises above what it is with torch imported.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

CASES = ((5, 1), (5, 8), (20, 64))  # views and objects
CONTENDERS = ("ours", "eager", "compile")


def main() -> None:
    """Prints the table."""
    print("| views × objects | contender | cold start | memory |")
    print("| --- | --- | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        _save(Path(folder))
        for views, objects in CASES:
            for contender in CONTENDERS:
                start = time.perf_counter()
                command = [sys.executable, __file__, contender, folder, str(views), str(objects)]
                out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                seconds = time.perf_counter() - start
                print(f"| {views} × {objects} | {contender} | {seconds:.1f} s | {out.split()[-1]} MB |", flush=True)


def _save(folder: Path) -> None:
    import torch
    from plain_r2n2 import with_weights_of

    from jc3d.models import create, save_weights

    model = create("r2n2-paper").freeze()
    save_weights(folder / "ours.safetensors", model, {})
    torch.save(with_weights_of(model).state_dict(), folder / "plain.pt")


def _run(contender: str, folder: Path, views: int, objects: int) -> None:
    """One contender's first result, and its memory in MB."""
    import torch
    from peak_memory import peak, reset

    before = reset()
    codes = torch.randn(objects, views, 1024, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        if contender == "ours":
            from jc3d.infer.batch import BatchReconstructor
            from jc3d.models import load

            BatchReconstructor(load(folder / "ours.safetensors"))(list(codes))
        else:
            from compiled import compiled
            from plain_r2n2 import PlainR2N2

            plain = PlainR2N2().eval()
            plain.load_state_dict(torch.load(folder / "plain.pt", weights_only=True))
            (compiled(plain) if contender == "compile" else plain)(codes)
    print(round((peak() - before) / 1024))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
