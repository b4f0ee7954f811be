"""Models: presets by name, fresh or with packaged weights."""

from __future__ import annotations

import functools
from importlib import resources
from pathlib import Path

import torch

from jc3d.errors import WeightsError
from jc3d.models.image.convlstm import RnnCompressor, RnnConfig
from jc3d.models.joint.direct import Direct, DirectConfig
from jc3d.models.joint.joint import Joint
from jc3d.models.joint.sequential import Sequential, SequentialConfig
from jc3d.models.model import Model
from jc3d.models.norms import fold_norms, unfold_norms
from jc3d.models.presets import PRESETS, ModelConfig, preset
from jc3d.models.registry import AnyModel, build
from jc3d.models.shape.config import R2N2Config, ReconstructionConfig
from jc3d.models.shape.convert_r2n2 import from_reference
from jc3d.models.shape.implicit import Implicit, ImplicitConfig
from jc3d.models.shape.r2n2 import R2N2
from jc3d.models.shape.reconstruction import ReceiverState, Reconstruction
from jc3d.models.weights import load_weights, read_metadata, save_weights

__all__ = [
    "PRESETS",
    "R2N2",
    "AnyModel",
    "Direct",
    "DirectConfig",
    "Implicit",
    "ImplicitConfig",
    "Joint",
    "Model",
    "ModelConfig",
    "R2N2Config",
    "ReceiverState",
    "Reconstruction",
    "ReconstructionConfig",
    "RnnCompressor",
    "RnnConfig",
    "Sequential",
    "SequentialConfig",
    "build",
    "create",
    "find",
    "fold_norms",
    "from_reference",
    "load",
    "packaged",
    "packaged_path",
    "preset",
    "read_metadata",
    "save_weights",
    "unfold_norms",
]


def create(name: str, seed: int = 0) -> AnyModel:
    """A model of a preset with fresh weights.

    Args:
        name: a key of :data:`PRESETS`.
        seed: seeds the weights; torch's global generator is left as it was.

    Raises:
        ValueError: no such preset.
    """
    config = preset(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(config)


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


def load(name_or_path: str | Path, device: str | torch.device = "cpu") -> AnyModel:
    """A trained model, in eval mode.

    Args:
        name_or_path: a packaged model's name, or the path of a ``.safetensors`` file.
        device: where to put it.

    Raises:
        WeightsError: no such model or file, or it is damaged.
    """
    if Path(name_or_path).suffix == ".safetensors":
        return load_weights(name_or_path, device)
    return load_weights(packaged_path(str(name_or_path)), device)


def find(fingerprint: bytes) -> str | None:
    """The packaged model with this fingerprint, or None."""
    return _names_by_fingerprint().get(fingerprint)


@functools.cache
def _names_by_fingerprint() -> dict[bytes, str]:
    return {read_metadata(packaged_path(name))["fingerprint"]: name for name in packaged()}


def _weights_folder() -> Path:
    return Path(str(resources.files("jc3d"))) / "weights"
