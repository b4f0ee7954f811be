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
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import onnxruntime
import torch
from costs import multiply_adds

from jc3d.export.model_parts import export_part
from jc3d.models import PRESETS, R2N2, Implicit, create, fold_norms, load, packaged

ROUNDS, VIEWS_A_TURN, MEMORY_VIEWS = 20, 3, 3
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

_OURS = """
import sys, torch
from encoder_cost import encode_of, model_of
from peak_memory import peak, reset
encode = encode_of(model_of(sys.argv[1]))
view = torch.rand(1, 3, 128, 128)
loaded = reset()
for _ in range(int(sys.argv[2])):
    encode(view)
print(peak() - loaded)
"""
_ORT = """
import sys, numpy as np, onnxruntime
from peak_memory import peak, reset
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
view = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
imported = reset()
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
whole = peak()
loaded = reset()
for _ in range(int(sys.argv[2])):
    session.run(None, {"views": view})
print(peak() - loaded, max(whole, peak()) - imported)
"""


def model_of(name: str) -> R2N2:
    """The packaged weights where there are some, else random ones; norms folded, as in a weights file."""
    return load(name) if name in packaged() else fold_norms(create(name)).freeze()


def encode_of(model: R2N2):
    """(N, 3, 128, 128) to what is sent, as `jc3d.infer.Codec` does it."""
    return model.compress if isinstance(model, Implicit) else model.encode


def memory(code: str, subject: str) -> list[int]:
    """What the code prints in a process of its own, bytes."""
    # Allocator settings of the caller would show up as memory of the encoder.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    command = [sys.executable, "-c", code, subject, str(MEMORY_VIEWS)]
    here, helpers = Path(__file__).parent, Path(__file__).parents[1] / "helpers"
    places = os.pathsep.join(filter(None, [str(here), str(helpers), environment.get("PYTHONPATH")]))
    run = subprocess.run(command, env={**environment, "PYTHONPATH": places}, capture_output=True, text=True, check=True)
    return [1024 * int(word) for word in run.stdout.split()]


def times(contenders: dict) -> dict:
    """Median seconds of every contender's call."""
    taken: dict = {name: [] for name in contenders}
    for _ in range(ROUNDS):
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


def session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait by spinning would take the processor from the other contenders.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def row(name: str) -> list[str]:
    """The cells of a preset."""
    model = model_of(name)
    view = torch.rand(1, 3, 128, 128)
    encode = encode_of(model)
    network = model.pre_activations if isinstance(model, Implicit) else model.codes_of_views
    parameters = sum(p.numel() for module in (model.encoder, model.head) for p in module.parameters())
    products = multiply_adds(partial(encode, view))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.onnx"
        export_part(path, model, "encoder")
        file_bytes, inputs = path.stat().st_size, {"views": view.numpy()}
        seconds = times(
            {
                "encode": partial(with_threads, 1, partial(encode, view)),
                "network": partial(with_threads, 2, partial(network, view)),
                "ort 1": partial(session(path, 1).run, None, inputs),
                "ort 2": partial(session(path, 2).run, None, inputs),
            }
        )
        del model, encode, network
        gc.collect()
        ours, ort = memory(_OURS, name), memory(_ORT, str(path))
    return [
        f"`{name}`",
        f"{products / 1e6:.0f} M",
        f"{parameters / 1e6:.2f} M",
        *(f"{count / 1e6:.2f} MB" for count in (4 * parameters, file_bytes)),
        *(f"{1e3 * seconds[key]:.2f} ms" for key in ("encode", "network", "ort 1", "ort 2")),
        *(f"{count / 1e6:.1f} MB" for count in (*ours, *ort)),
    ]


def main() -> None:
    """Prints the table."""
    names = sys.argv[1:] or list(PRESETS)
    versions = f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    print(f"{versions}, {torch.backends.cpu.get_cpu_capability()}\n")
    print("| " + " | ".join(COLUMNS) + " |")
    print("| --- |" + " ---: |" * (len(COLUMNS) - 1))
    for name in names:
        print("| " + " | ".join(row(name)) + " |", flush=True)


if __name__ == "__main__":
    main()
