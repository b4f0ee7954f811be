"""Weights files: safetensors whose metadata says which architecture they are and where they came from.

Tensors are stored in float16 (half the bytes; trained weights lie well inside its range) and computed with in
float32. The fingerprint is taken over the float32 values that both ends compute with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from jc3d.errors import WeightsError
from jc3d.io.atomic import atomic_write
from jc3d.models.model import Model
from jc3d.models.norms import fold_norms
from jc3d.models.registry import build, family
from jc3d.models.stored_names import config_of, state_of, stored_config, stored_state

FORMAT = "jc3d-weights-1"


def save_weights(path: str | Path, model: Model, info: dict[str, Any], left_out: Sequence[str] = ()) -> None:
    """Writes a model's weights, atomically; batch normalisations are folded first.

    Args:
        path: a ``.safetensors`` file.
        model: what to save.
        info: what a model card says (data, seeds, command, commit, metrics); JSON-serialisable.
        left_out: parts that are models themselves and kept elsewhere: the file holds their fingerprints alone, and
            whoever loads it has to have them.

    Raises:
        WeightsError: a weight that is not finite in float16.
    """
    folded = fold_norms(model)
    tensors = {name: tensor.half().contiguous() for name, tensor in stored_state(folded).items()}
    infinite = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if infinite:
        raise WeightsError(f"model: expected weights that are finite in float16, got others in {', '.join(infinite)}")
    # The fingerprint is that of the values a reader will compute with.
    folded.load_state_dict(state_of(folded, {name: tensor.float() for name, tensor in tensors.items()}))
    metadata = {
        "format": FORMAT,
        "family": folded.config.family,
        "config": json.dumps(stored_config(folded.config)),
        "fingerprint": folded.fingerprint.hex(),
        "info": json.dumps(info),
    }
    if left_out:
        metadata["parts"] = json.dumps({part: _part(folded, part).fingerprint.hex() for part in left_out})
        tensors = {name: tensor for name, tensor in tensors.items() if name.split(".")[0] not in left_out}
    with atomic_write(path) as file:
        file.write(save(tensors, metadata))


def _part(model: Model, name: str) -> Model:
    part = getattr(model, name)
    if not isinstance(part, Model):
        raise TypeError(f"left_out: expected parts that are models, got {name!r}, a {type(part).__name__}")
    return part


def read_metadata(path: str | Path) -> dict[str, Any]:
    """What a weights file says of itself, without reading a tensor.

    Returns:
        ``config`` (a `ModelConfig`), ``fingerprint`` (bytes), ``info`` (dict), ``parts`` (of each part that it names
        instead of holding it, the fingerprint).

    Raises:
        WeightsError: missing, unreadable or not one of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"weights: {path}: expected a safetensors file, got nothing there")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"weights: {path}: expected a safetensors file, got a damaged or another one ({error})"
        ) from error
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"weights: {path}: expected format {FORMAT}, got {metadata.get('format')}")
    try:
        return {
            "config": config_of(family(metadata["family"]).config, json.loads(metadata["config"])),
            "fingerprint": bytes.fromhex(metadata["fingerprint"]),
            "info": json.loads(metadata["info"]),
            "parts": {part: bytes.fromhex(text) for part, text in json.loads(metadata.get("parts", "{}")).items()},
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"weights: {path}: expected metadata of a model, got others ({error!r})") from error


@torch.inference_mode(False)  # weights made in the caller's could not be frozen
def load_weights(
    path: str | Path, device: str | torch.device = "cpu", find_part: Callable[[bytes], Model] | None = None
) -> Model:
    """A model from a weights file, in eval mode, float32.

    Args:
        path: the file.
        device: where to put it.
        find_part: gives the model of a fingerprint, for files that name a part of theirs instead of holding it. Its
            tensors become the part's: they are not copied.

    Raises:
        WeightsError: missing, damaged, wrong shapes, a part that is not to be had, or the fingerprint does not match
            the values.
    """
    metadata = read_metadata(path)
    try:
        with torch.device("meta"):  # nothing is allocated by what the metadata claims
            model = build(metadata["config"])
            shapes = {name: tensor.shape for name, tensor in stored_state(model).items()}
    except (TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"weights: {path}: expected a config that builds a model, got another ({error})") from error
    tensors = _part_tensors(path, metadata["parts"], find_part)
    try:
        with safe_open(path, framework="pt") as file:
            stored = {name: torch.Size(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            there = {name: tensor.shape for name, tensor in tensors.items()} | stored
            wrong = sorted(name for name in there.keys() | shapes.keys() if there.get(name) != shapes.get(name))
            if wrong:
                name = wrong[0]
                raise WeightsError(
                    f"weights: {path}: expected {name} of shape {shapes.get(name)} as in its config, "
                    f"got {there.get(name)}"
                )
            tensors |= {name: file.get_tensor(name).float() for name in stored}
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"weights: {path}: expected a whole safetensors file, got a damaged one ({error})"
        ) from error
    model.load_state_dict(state_of(model, tensors), assign=True)
    model.to(device).freeze()
    if model.fingerprint != metadata["fingerprint"]:
        raise WeightsError(
            f"weights: {path}: expected fingerprint {metadata['fingerprint'].hex()}, got {model.fingerprint.hex()}"
        )
    return model


def _part_tensors(
    path: str | Path, parts: dict[str, bytes], find_part: Callable[[bytes], Model] | None
) -> dict[str, Tensor]:
    """The tensors of the parts that a file names, by their stored names in the whole model."""
    tensors: dict[str, Tensor] = {}
    for part, fingerprint in parts.items():
        if find_part is None:
            raise WeightsError(f"weights: {path}: expected the model {fingerprint.hex()} for its {part}, got none")
        found = stored_state(find_part(fingerprint))
        tensors |= {f"{part}.{name}": tensor for name, tensor in found.items()}
    return tensors
