"""How often a bit of a code depends on the processor.

The same views are encoded in processes whose convolution library is held to different instruction sets, and the bits
that differ from those of its own choice are counted. The pre-activations must differ by rounding, or the sets were
never in force.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from jc3d.data.sources.spec import SourceSpec
from jc3d.evaluate import Identity, Protocol, Report, Row
from jc3d.infer import load
from jc3d.models.capabilities import EncodesBits
from jc3d.models.model import VIEW_SIZE
from jc3d.nn.deterministic import one_thread

INSTRUCTION_SETS = ("AVX2", "AVX512_CORE", "SSE41")


def compare_instruction_sets(name: str, protocol: Protocol) -> Report:
    """Counts the bits that differ: a row of ``flipped_bits`` and of the largest difference for each set.

    Args:
        name: of a packaged model whose codes are the signs of pre-activations.
        protocol: which views.

    Raises:
        ValueError: no pre-activation differs at all, since the library did not follow ONEDNN_MAX_CPU_ISA.
    """
    model = load(name).model
    found = {kind: _numbers_under(kind, name, protocol) for kind in ("DEFAULT", *INSTRUCTION_SETS)}
    own = found["DEFAULT"]
    identity = Identity(name, model.fingerprint.hex(), model.config.code_bits)
    rows = tuple(row for kind in INSTRUCTION_SETS for row in _rows(name, protocol, kind, own, found[kind]))
    if not any(row.mean for row in rows if row.measure == "pre_activation_difference"):
        raise ValueError("ONEDNN_MAX_CPU_ISA: expected pre-activations that differ by rounding, got equal ones")
    return Report(identity, (VIEW_SIZE, VIEW_SIZE), protocol, rows)


def _rows(
    name: str, protocol: Protocol, kind: str, own: NDArray[np.float32], other: NDArray[np.float32]
) -> Iterator[Row]:
    flips = float(((other >= 0) != (own >= 0)).mean())
    largest = float(np.abs(other - own).max())
    views = max(protocol.views)
    yield Row(name, "flipped_bits", views, 1, None, None, kind, own.size, flips, math.sqrt(flips * (1 - flips)))
    yield Row(name, "pre_activation_difference", views, 1, None, None, kind, 1, largest, 0.0)


def _numbers_under(instruction_set: str, name: str, protocol: Protocol) -> NDArray[np.float32]:
    """The pre-activations of a process that is held to an instruction set."""
    with tempfile.TemporaryDirectory(prefix="jc3d-") as folder:
        path = Path(folder) / "numbers.npy"
        environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": instruction_set}
        child = [sys.executable, "-m", "jc3d.reproduce.instruction_sets"]
        arguments = [str(path), name, msgspec.json.encode(protocol).decode()]
        subprocess.run([*child, *arguments], env=environment, check=True)
        numbers: NDArray[np.float32] = np.load(path)
        return numbers


def pre_activations(name: str, protocol: Protocol) -> NDArray[np.float32]:
    """(views of all objects, bits): a bit of a code is 1 where they are not negative."""
    source = SourceSpec.parse(protocol.data).open(protocol.split)
    model = load(name).require(EncodesBits)
    with torch.inference_mode(), one_thread():
        views = (source.get(index, protocol.seed, max(protocol.views)).views for index in range(protocol.objects))
        # A view at a time in one thread, as the codec runs them.
        numbers = [model.pre_activations(view[None].float() / 255) for of_object in views for view in of_object]
    return torch.cat(numbers).numpy()


if __name__ == "__main__":
    np.save(sys.argv[1], pre_activations(sys.argv[2], msgspec.json.decode(sys.argv[3], type=Protocol)))
