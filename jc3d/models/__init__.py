"""Models: presets by name, fresh or with packaged weights."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from jc3d.models.model import Model, ModelConfig
from jc3d.models.norms import fold_norms, unfold_norms
from jc3d.models.packaged import find, load, packaged, packaged_path
from jc3d.models.registry import build, create, preset, presets, register
from jc3d.models.weights import read_metadata, save_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jc3d.models.image.convlstm import RnnCompressor
    from jc3d.models.image.convlstm_config import RnnConfig
    from jc3d.models.joint.direct import Direct, DirectConfig
    from jc3d.models.joint.joint import Joint
    from jc3d.models.joint.sequential import SequentialConfig, SequentialJoint
    from jc3d.models.shape.config import R2N2Config, ReconstructionConfig
    from jc3d.models.shape.convert_r2n2 import from_reference
    from jc3d.models.shape.implicit import Implicit, ImplicitConfig
    from jc3d.models.shape.r2n2 import R2N2
    from jc3d.models.shape.reconstruction import CodeReading, ReceiverState, Reconstruction

    PRESETS: Mapping[str, ModelConfig]

__all__ = [
    "PRESETS",
    "R2N2",
    "CodeReading",
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
    "SequentialConfig",
    "SequentialJoint",
    "build",
    "create",
    "find",
    "fold_norms",
    "from_reference",
    "load",
    "packaged",
    "packaged_path",
    "preset",
    "presets",
    "read_metadata",
    "register",
    "save_weights",
    "unfold_norms",
]

# Names for convenience; a family works without one. They are imported when they are asked for.
_HOMES = {
    "R2N2": "shape.r2n2",
    "CodeReading": "shape.reconstruction",
    "Direct": "joint.direct",
    "DirectConfig": "joint.direct",
    "Implicit": "shape.implicit",
    "ImplicitConfig": "shape.implicit",
    "Joint": "joint.joint",
    "R2N2Config": "shape.config",
    "ReceiverState": "shape.reconstruction",
    "Reconstruction": "shape.reconstruction",
    "ReconstructionConfig": "shape.config",
    "RnnCompressor": "image.convlstm",
    "RnnConfig": "image.convlstm_config",
    "SequentialConfig": "joint.sequential",
    "SequentialJoint": "joint.sequential",
    "from_reference": "shape.convert_r2n2",
}


def __getattr__(name: str) -> Any:
    if name == "PRESETS":
        return presets()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
