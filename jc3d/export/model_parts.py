"""A model's parts as files that need no jc3d to run: ONNX models and programs of ``torch.export``.

``docs/reference/export.md`` says what goes in and comes out, and writes a ``.jc3d`` file from the encoder's bytes.
"""

from __future__ import annotations

import io
import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.export import Dim, ExportedProgram

from jc3d.codec.wire import VERSION
from jc3d.errors import require_extra
from jc3d.io.atomic import atomic_write
from jc3d.models import Model
from jc3d.models.capabilities import ExportPart, ExportsParts, require
from jc3d.models.model import VIEW_SIZE
from jc3d.ops import decompositions

SUFFIXES = (".onnx", ".pt2")
"""What :func:`export_part` can write."""

OPSET = 18
"""Of the ONNX models: the one that torch's exporter writes without a conversion; GridSample is in it since 16."""

FORMAT = 2
"""Of the files: raised when inputs, outputs or metadata change so that a user of the old ones would be wrong."""

_METADATA_FILE = "jc3d.json"  # in a .pt2 archive
_BATCH = "N"


def metadata(model: Model, part: str) -> dict[str, str]:
    """What a file says of itself: enough to write the header of a ``.jc3d`` file.

    Returns:
        ``jc3d.format`` (:data:`FORMAT`), ``jc3d.part``, ``jc3d.model`` (preset), ``jc3d.fingerprint`` (16 hexadecimal
        digits), ``jc3d.code_kind`` ("bits" or "float32"), ``jc3d.code_size`` (K), ``jc3d.code_bits`` (of a view's code
        on the wire), ``jc3d.image_size`` (pixels along each side), ``jc3d.wire_format`` (version).
    """
    size = model.config.image_size or VIEW_SIZE
    code_bits, binary = model.config.code_format((size, size))
    facts = {
        "format": FORMAT,
        "part": part,
        "model": model.config.name,
        "fingerprint": model.fingerprint.hex(),
        "code_kind": "bits" if binary else "float32",
        "code_size": code_bits if binary else code_bits // 32,
        "code_bits": code_bits,
        "image_size": size,
        "wire_format": VERSION,
    }
    return {f"jc3d.{name}": str(value) for name, value in facts.items()}


def parts_of(model: Model) -> dict[str, ExportPart]:
    """The parts that a model gives; it is frozen (eval mode, no gradients), as its fingerprint goes with the files.

    Raises:
        ValueError: it gives none.
    """
    exporting = require(model, ExportsParts)
    model.freeze()
    return exporting.export_parts()


def trace_part(model: Model, part: str) -> ExportedProgram:
    """A part as a program of torch's own operators, none of jc3d's, for any batch.

    Args:
        model: is frozen, see :func:`parts_of`.
        part: a name that :func:`parts_of` gives, such as ``encoder``.

    Raises:
        ValueError: no such part.
    """
    chosen = _part(model, part)
    inputs = tuple(example.to(model.device) for example in chosen.inputs.values())
    shapes = ({0: Dim(_BATCH, min=1)},) * len(inputs)
    program = torch.export.export(chosen.module.eval(), inputs, dynamic_shapes=shapes)
    plain: ExportedProgram = program.run_decompositions(decompositions(*chosen.ops))
    return plain


def _part(model: Model, part: str) -> ExportPart:
    parts = parts_of(model)
    if part not in parts:
        raise ValueError(f"part: expected one of {', '.join(parts)}, got {part!r}")
    return parts[part]


def export_part(path: str | os.PathLike[str], model: Model, part: str) -> None:
    """Writes a part in the format the path's suffix names, whole or not at all.

    - ``.onnx``: an ONNX model of opset :data:`OPSET` with :func:`metadata` as its metadata;
    - ``.pt2``: a program for :func:`torch.export.load`, with :func:`metadata` as the extra file ``jc3d.json``.

    Args:
        path: the file to write.
        model: as for :func:`trace_part`.
        part: a name that :func:`parts_of` gives, such as ``encoder``.

    Raises:
        ValueError: the suffix is unknown, or there is no such part.
        MissingExtraError: the extra ``onnx`` is not installed, for ``.onnx``.
        OSError: the file cannot be written.
    """
    suffix = check_path(path)
    with _quiet():
        program, facts = trace_part(model, part), metadata(model, part)
        data = _onnx_bytes(program, facts, _part(model, part)) if suffix == ".onnx" else _pt2_bytes(program, facts)
    with atomic_write(path) as file:
        file.write(data)


def check_path(path: str | os.PathLike[str]) -> str:
    """The format that a path's suffix names, once what writes it is installed.

    Raises:
        ValueError: none that :func:`export_part` writes.
        MissingExtraError: the extra ``onnx`` is not installed, for ``.onnx``.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{os.fspath(path)}: expected a name ending in {' or '.join(SUFFIXES)}, got {suffix!r}")
    if suffix == ".onnx":
        for module in ("onnx", "onnxscript"):
            require_extra(module, "onnx")
    return suffix


def _onnx_bytes(program: ExportedProgram, facts: dict[str, str], names: ExportPart) -> bytes:
    axes = {name: {0: _BATCH} for name in names.inputs}
    exported = torch.onnx.export(
        program, dynamo=True, opset_version=OPSET, output_names=names.outputs, dynamic_shapes=axes, verbose=False
    )
    assert exported is not None
    # What the exporter notes is for debugging, as long as small graphs, and tells where the source lies.
    graph = exported.model.graph
    for item in (graph, *graph, *graph.inputs, *graph.outputs, *graph.initializers.values()):
        item.metadata_props.clear()
    exported.model.metadata_props.clear()
    exported.model.metadata_props.update(facts)
    return bytes(exported.model_proto.SerializeToString())


def _pt2_bytes(program: ExportedProgram, facts: dict[str, str]) -> bytes:
    program.example_inputs = None
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={_METADATA_FILE: json.dumps(facts)})
    return buffer.getvalue()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks, which are about torch and not about the model."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
