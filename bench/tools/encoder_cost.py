"""What the encoder of a preset costs a camera: ``python bench/tools/encoder_cost.py [PRESET ...]``, Markdown.

- Multiply-adds as `costs.py` counts them; weights as float32; the file is that of ``jc3d export --encoder x.onnx``.
- Times are medians over rounds in which every contender has its turn, so that a busy machine slows all of them alike;
  the first view of a turn is not counted, as it may have to wait for threads. `encode` is the library's own, `network`
  its encoder on two threads where `encode` of small models keeps to one, `ort` is onnxruntime.
- Memory is how far the peak of a fresh process's resident set rises (`peak_memory.py`)
  while it encodes three views: above what it is with the weights loaded (`working`), and for onnxruntime also above
  what it is with the library imported (`whole`).
"""

from __future__ import annotations

import gc
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated

import onnxruntime
import torch
import typer
from costs import multiply_adds
from fresh_process import call

from jc3d.export.model_parts import export_part
from jc3d.models import Model, create, fold_norms, load, packaged
from jc3d.models import presets as all_presets

VIEWS_A_TURN, MEMORY_VIEWS = 3, 3
COLUMNS = (
    "preset",
    "multiply-adds",
    "parameters",
    "weights",
    "ONNX file",
    "encode, 1 thread",
    "network, 2 threads",
    "ort, 1 thread",
    "ort, 2 threads",
    "working, encode",
    "working, ort",
    "whole, ort",
)


def model_of(name: str) -> Model:
    """The packaged weights where there are some, else random ones; norms folded, as in a weights file."""
    return load(name) if name in packaged() else fold_norms(create(name)).freeze()


def memory_of_ours(name: str) -> None:
    """Prints by how many KiB encoding raises the peak above the loaded model."""
    from peak_memory import peak, reset

    model, view = model_of(name), torch.rand(1, 3, 128, 128)
    loaded = reset()
    for _ in range(MEMORY_VIEWS):
        model.compress(view)
    print(peak() - loaded)


def memory_of_onnxruntime(path: str) -> None:
    """Prints the same for onnxruntime, and by how many KiB above the imported library."""
    from peak_memory import peak, reset

    view = torch.rand(1, 3, 128, 128).numpy()
    imported = reset()
    session = session_of(Path(path), 1)
    whole = peak()
    loaded = reset()
    for _ in range(MEMORY_VIEWS):
        session.run(None, {"views": view})
    print(peak() - loaded, max(whole, peak()) - imported)


def times(contenders: dict, rounds: int) -> dict:
    """Median seconds of every contender's call."""
    taken: dict = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            run()
            for _ in range(VIEWS_A_TURN):
                start = time.perf_counter()
                run()
                taken[name].append(time.perf_counter() - start)
    return {name: median(seconds) for name, seconds in taken.items()}


def with_threads(threads: int, run) -> None:
    """Calls ``run`` with so many of torch's threads, without gradients."""
    torch.set_num_threads(threads)
    with torch.inference_mode():
        run()


def session_of(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait by spinning would take the processor from the other contenders.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def row(name: str, rounds: int) -> list[str]:
    """The cells of a preset."""
    model = model_of(name)
    view = torch.rand(1, 3, 128, 128)
    network = model.export_parts()["encoder"].module
    parameters = sum(p.numel() for module in (model.encoder, model.head) for p in module.parameters())
    products = multiply_adds(partial(model.compress, view))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.onnx"
        export_part(path, model, "encoder")
        file_bytes, inputs = path.stat().st_size, {"views": view.numpy()}
        seconds = times(
            {
                "encode": partial(with_threads, 1, partial(model.compress, view)),
                "network": partial(with_threads, 2, partial(network, view)),
                "ort 1": partial(session_of(path, 1).run, None, inputs),
                "ort 2": partial(session_of(path, 2).run, None, inputs),
            },
            rounds,
        )
        del model, network
        gc.collect()
        memory = [*call(memory_of_ours, name), *call(memory_of_onnxruntime, str(path))]
    return [
        f"`{name}`",
        f"{products / 1e6:.0f} M",
        f"{parameters / 1e6:.2f} M",
        *(f"{count / 1e6:.2f} MB" for count in (4 * parameters, file_bytes)),
        *(f"{1e3 * seconds[key]:.2f} ms" for key in ("encode", "network", "ort 1", "ort 2")),
        *(f"{int(count) * 1024 / 1e6:.1f} MB" for count in memory),
    ]


def main(
    presets: Annotated[list[str] | None, typer.Argument(help="Of shape models; else all.", show_default=False)] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of every contender.")] = 20,
) -> None:
    """Print the table."""
    versions = f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    print(f"{versions}, {torch.backends.cpu.get_cpu_capability()}\n")
    print("| " + " | ".join(COLUMNS) + " |")
    print("| --- |" + " ---: |" * (len(COLUMNS) - 1))
    for name in presets or [name for name in all_presets() if create(name).task == "shape"]:
        print("| " + " | ".join(row(name, rounds)) + " |", flush=True)


if __name__ == "__main__":
    typer.run(main)
