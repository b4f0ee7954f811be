"""A model's parts as files that need no jc3d to run: ONNX models and programs of ``torch.export``.

    encoder     views ──> codes                                         at the camera
    step        codes, h, c, fine ──> next_h, next_c, next_fine         at the receiver, once a view
    decoder     h, fine ──> occupancy                                   at the receiver, whenever a grid is wanted

``docs/export.md`` says what goes in and comes out, and writes a ``.jc3d`` file from the encoder's bytes.
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
from typing import Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from jc3d.codec.wire import VERSION
from jc3d.errors import require_extra
from jc3d.io.atomic import atomic_write
from jc3d.models import R2N2, R2N2Config
from jc3d.nn import GridState
from jc3d.nn.gates import FINE_CHANNELS, FINE_SIDE
from jc3d.ops import binarize_pack, decompositions, unpack_bits

Part: TypeAlias = Literal["encoder", "step", "decoder"]

SUFFIXES = (".onnx", ".pt2")
"""What :func:`export_part` can write."""

OPSET = 18
"""Of the ONNX models: the one that torch's exporter writes without a conversion; GridSample is in it since 16."""

FORMAT = 1
"""Of the files: raised when inputs, outputs or metadata change so that a user of the old ones would be wrong."""

_METADATA_FILE = "jc3d.json"  # in a .pt2 archive
_BATCH = "N"
_OPS = ("binarize_pack", "unpack_bits", "conv3d_lstm_gates")  # that the parts call
_EXAMPLES = 2  # rows to trace with: torch.export takes a size of 0 or 1 for a constant


class _Encoder(nn.Module):
    def __init__(self, model: R2N2) -> None:
        super().__init__()
        self.encoder, self.head = model.encoder, model.head
        self.code_size, self.binary = model.config.code_size, model.config.binary

    def forward(self, views: Tensor) -> Tensor:
        codes: Tensor = self.head(self.encoder(views))[:, : self.code_size]
        return binarize_pack(codes) if self.binary else codes


class _Step(nn.Module):
    def __init__(self, model: R2N2) -> None:
        super().__init__()
        self.gates, self.recurrence = model.gates, model.recurrence
        self.code_size, self.binary = model.config.code_size, model.config.binary

    def forward(self, codes: Tensor, h: Tensor, c: Tensor, fine: Tensor | None = None) -> tuple[Tensor, ...]:
        said = self.gates(unpack_bits(codes, self.code_size) if self.binary else codes)
        grid = self.recurrence(said.x_gates, GridState(h, c))
        return (*grid,) if fine is None else (*grid, torch.maximum(fine, said.fine))


class _Decoder(nn.Module):
    def __init__(self, model: R2N2) -> None:
        super().__init__()
        self.decoder = model.decoder

    def forward(self, h: Tensor, fine: Tensor | None = None) -> Tensor:
        logits = self.decoder(h, fine)
        return torch.sigmoid(logits[:, 1] - logits[:, 0])


_MODULES: dict[Part, type[_Encoder | _Step | _Decoder]] = {"encoder": _Encoder, "step": _Step, "decoder": _Decoder}


class Signature(NamedTuple):
    """What a part takes and gives.

    Attributes:
        inputs: names, and an example of each with two rows; the first axis is the batch and may have any size.
        outputs: names.
    """

    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


def signature(config: R2N2Config, part: Part) -> Signature:
    """What a part of a model takes and gives; ``fine`` is left out where the decoder takes no details."""
    size, channels, side = config.image_size, config.hidden_channels, config.cell_side
    state = {name: torch.zeros(_EXAMPLES, channels, side, side, side) for name in ("h", "c")}
    if config.join_fine:
        state["fine"] = torch.zeros(_EXAMPLES, FINE_CHANNELS, FINE_SIDE, FINE_SIDE, FINE_SIDE)
    if part == "encoder":
        return Signature({"views": torch.zeros(_EXAMPLES, 3, size, size)}, ("codes",))
    if part == "step":
        codes = torch.zeros(_EXAMPLES, config.code_size)
        if config.binary:
            codes = torch.zeros(_EXAMPLES, -(-config.code_size // 8), dtype=torch.uint8)
        return Signature({"codes": codes, **state}, tuple(f"next_{name}" for name in state))
    del state["c"]
    return Signature(state, ("occupancy",))


def metadata(model: R2N2, part: Part) -> dict[str, str]:
    """What a file says of itself: enough to write the header of a ``.jc3d`` file.

    Returns:
        ``jc3d.format`` (:data:`FORMAT`), ``jc3d.part``, ``jc3d.model`` (preset), ``jc3d.fingerprint`` (16 hexadecimal
        digits), ``jc3d.code_kind`` ("bits" or "float32"), ``jc3d.code_size`` (K), ``jc3d.code_bits`` (of a view's code
        on the wire), ``jc3d.image_size`` (pixels along each side), ``jc3d.wire_format`` (version).
    """
    config = model.config
    facts = {
        "format": FORMAT,
        "part": part,
        "model": config.name,
        "fingerprint": model.fingerprint.hex(),
        "code_kind": "bits" if config.binary else "float32",
        "code_size": config.code_size,
        "code_bits": config.code_bits,
        "image_size": config.image_size,
        "wire_format": VERSION,
    }
    return {f"jc3d.{name}": str(value) for name, value in facts.items()}


def trace_part(model: R2N2, part: Part) -> ExportedProgram:
    """A part as a program of torch's own operators, none of jc3d's, for any batch.

    Args:
        model: is frozen (eval mode, no gradients): its fingerprint goes with the files.
        part: ``encoder``, ``step`` or ``decoder``.

    Raises:
        ValueError: no such part.
    """
    if not isinstance(model, R2N2):
        raise ValueError(f"model: expected one of the R2N2 or implicit family, got {type(model).__name__}")
    if part not in _MODULES:
        raise ValueError(f"part: expected one of {', '.join(_MODULES)}, got {part!r}")
    module, device = _MODULES[part](model.freeze()).eval(), next(model.parameters()).device
    inputs = tuple(example.to(device) for example in signature(model.config, part).inputs.values())
    shapes = ({0: Dim(_BATCH, min=1)},) * len(inputs)
    program = torch.export.export(module, inputs, dynamic_shapes=shapes)
    plain: ExportedProgram = program.run_decompositions(decompositions(*_OPS))
    return plain


def export_part(path: str | os.PathLike[str], model: R2N2, part: Part) -> None:
    """Writes a part in the format the path's suffix names, whole or not at all.

    - ``.onnx``: an ONNX model of opset :data:`OPSET` with :func:`metadata` as its metadata;
    - ``.pt2``: a program for :func:`torch.export.load`, with :func:`metadata` as the extra file ``jc3d.json``.

    Args:
        path: the file to write.
        model: as for :func:`trace_part`.
        part: ``encoder``, ``step`` or ``decoder``.

    Raises:
        ValueError: the suffix is unknown, or there is no such part.
        MissingExtraError: the extra ``onnx`` is not installed, for ``.onnx``.
        OSError: the file cannot be written.
    """
    suffix = check_path(path)
    with _quiet():
        program = trace_part(model, part)
        facts, names = metadata(model, part), signature(model.config, part)
        data = _onnx_bytes(program, facts, names) if suffix == ".onnx" else _pt2_bytes(program, facts)
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


def _onnx_bytes(program: ExportedProgram, facts: dict[str, str], names: Signature) -> bytes:
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
