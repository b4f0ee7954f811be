"""Trained models by name: those that come with the package, and files."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import torch

from jc3d.errors import WeightsError
from jc3d.models.model import Model
from jc3d.models.weights import load_weights, read_metadata, save_weights


def packaged() -> list[str]:
    """Names of the models whose weights come with the package."""
    return sorted(path.stem for path in _weights_folder().glob("*.safetensors"))


def packaged_path(name: str) -> Path:
    """The weights file of a packaged model.

    Raises:
        WeightsError: no weights of that name are packaged.
    """
    path = _weights_folder() / f"{name}.safetensors"
    if not path.is_file():
        known = ", ".join(packaged()) or "none packaged"
        raise WeightsError(f"model: expected one of {known}, or a .safetensors path; got {name!r}")
    return path


def load(
    name_or_path: str | Path, device: str | torch.device = "cpu", shared: Callable[[str], Model] | None = None
) -> Model:
    """A trained model, in eval mode.

    Args:
        name_or_path: a packaged model's name, or the path of a ``.safetensors`` file.
        device: where to put it.
        shared: gives the packaged model of a name, whose tensors become those of a part that is that very model; None:
            such parts are loaded anew.

    Raises:
        WeightsError: no such model or file, or it is damaged.
    """
    is_file = Path(name_or_path).suffix == ".safetensors"
    path = Path(name_or_path) if is_file else packaged_path(str(name_or_path))
    give = shared or load

    def find_part(fingerprint: bytes) -> Model:
        name = find(fingerprint)
        if name is None:
            raise WeightsError(
                f"weights: {path}: expected the packaged model {fingerprint.hex()} for a part of it, got none"
            )
        return give(name)

    return load_weights(path, device, find_part)


def find(fingerprint: bytes) -> str | None:
    """The packaged model with this fingerprint, or None."""
    return _names_by_fingerprint().get(fingerprint)


def package_weights(path: str | Path) -> Path:
    """Puts a weights file among the packaged ones, under its preset's name.

    A part that is a packaged model itself is named and not stored a second time.

    Args:
        path: a ``.safetensors`` file, such as a training run wrote.

    Returns:
        The file that was written.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    model = load(path)
    parts = [
        name for name, part in model.named_children() if isinstance(part, Model) and find(part.fingerprint) is not None
    ]
    target = _weights_folder() / f"{model.config.name}.safetensors"
    save_weights(target, model, read_metadata(path)["info"], left_out=parts)
    _names_by_fingerprint.cache_clear()
    return target


@functools.cache
def _names_by_fingerprint() -> dict[bytes, str]:
    return {read_metadata(packaged_path(name))["fingerprint"]: name for name in packaged()}


def _weights_folder() -> Path:
    return Path(str(resources.files("jc3d"))) / "weights"
