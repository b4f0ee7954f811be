"""Weights files: safetensors whose metadata says which architecture they are and where they came from.

Tensors are stored in float16 (half the bytes; trained weights lie well inside its range) and computed with in
float32. The fingerprint is taken over the float32 values that both ends compute with.
"""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from jc3d.errors import WeightsError
from jc3d.io.atomic import atomic_write
from jc3d.models.norms import fold_norms
from jc3d.models.registry import _FAMILIES, AnyModel, build

FORMAT = "jc3d-weights-1"


def save_weights(path: str | Path, model: AnyModel, info: dict[str, Any]) -> None:
    """Writes a model's weights, atomically; batch normalisations are folded first.

    Args:
        path: a ``.safetensors`` file.
        model: what to save.
        info: what a model card says (data, seeds, command, commit, metrics); JSON-serialisable.
    """
    folded = fold_norms(model)
    tensors = {name: tensor.half().contiguous() for name, tensor in folded.state_dict().items()}
    infinite = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if infinite:
        raise WeightsError(f"model: expected weights that are finite in float16, got others in {', '.join(infinite)}")
    # The fingerprint is that of the values a reader will compute with.
    folded.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    metadata = {
        "format": FORMAT,
        "family": folded.config.family,
        "config": json.dumps(asdict(folded.config)),
        "fingerprint": folded.fingerprint.hex(),
        "info": json.dumps(info),
    }
    with atomic_write(path) as file:
        file.write(save(tensors, metadata))


def read_metadata(path: str | Path) -> dict[str, Any]:
    """What a weights file says of itself, without reading a tensor.

    Returns:
        ``config`` (a :data:`ModelConfig`), ``fingerprint`` (bytes), ``info`` (dict).

    Raises:
        WeightsError: missing, unreadable or not one of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"weights: no such file: {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"weights: {path} is damaged or not a safetensors file ({error})") from error
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"weights: {path}: expected format {FORMAT}, got {metadata.get('format')}")
    try:
        return {
            "config": _parse_config(_FAMILIES[metadata["family"]][1], json.loads(metadata["config"])),
            "fingerprint": bytes.fromhex(metadata["fingerprint"]),
            "info": json.loads(metadata["info"]),
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"weights: {path}: metadata cannot be read ({error!r})") from error


def _parse_config(kind: Any, raw: dict[str, Any]) -> Any:
    """The reverse of ``asdict``: lists are tuples, and dicts are configs of their field's type."""
    hints = get_type_hints(kind)
    values = {}
    for key, value in raw.items():
        if isinstance(value, list):
            value = tuple(value)
        elif isinstance(value, dict) and is_dataclass(hints.get(key)):
            value = _parse_config(hints[key], value)
        values[key] = value
    return kind(**values)


def load_weights(path: str | Path, device: str | torch.device = "cpu") -> AnyModel:
    """A model from a weights file, in eval mode, float32.

    Raises:
        WeightsError: missing, damaged, wrong shapes, or the fingerprint does not match the values.
    """
    metadata = read_metadata(path)
    try:
        with torch.device("meta"):  # nothing is allocated by what the metadata claims
            model = build(metadata["config"])
            shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    except (TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"weights: {path}: no model can be built from its config ({error})") from error
    try:
        with safe_open(path, framework="pt") as file:
            stored = {name: torch.Size(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            wrong = sorted(name for name in stored.keys() | shapes.keys() if stored.get(name) != shapes.get(name))
            if wrong:
                name = wrong[0]
                raise WeightsError(
                    f"weights: {path} does not fit its architecture: {name}: expected shape {shapes.get(name)}, "
                    f"got {stored.get(name)}"
                )
            tensors = {name: file.get_tensor(name).float() for name in stored}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"weights: {path} is damaged ({error})") from error
    model.load_state_dict(tensors, assign=True)
    model.freeze()
    if model.fingerprint != metadata["fingerprint"]:
        raise WeightsError(
            f"weights: {path}: expected fingerprint {metadata['fingerprint'].hex()}, got {model.fingerprint.hex()}"
        )
    model.to(device)
    return model
