"""Which families there are."""

from __future__ import annotations

from typing import Any, TypeAlias

from jc3d.models.image.convlstm import RnnCompressor, RnnConfig
from jc3d.models.joint.direct import Direct, DirectConfig
from jc3d.models.joint.sequential import Sequential, SequentialConfig
from jc3d.models.presets import ModelConfig
from jc3d.models.shape.config import R2N2Config
from jc3d.models.shape.implicit import Implicit, ImplicitConfig
from jc3d.models.shape.r2n2 import R2N2

AnyModel: TypeAlias = R2N2 | RnnCompressor | Sequential | Direct

_FAMILIES: dict[str, tuple[type[AnyModel], type[ModelConfig]]] = {
    "r2n2": (R2N2, R2N2Config),
    "implicit": (Implicit, ImplicitConfig),
    "rnn": (RnnCompressor, RnnConfig),
    "sequential": (Sequential, SequentialConfig),
    "direct": (Direct, DirectConfig),
}


def build(config: ModelConfig) -> AnyModel:
    """The model of a config, with torch's own initial weights."""
    make: Any = _FAMILIES[config.family][0]
    model: AnyModel = make(config)
    return model
