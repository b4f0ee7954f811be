"""Model families and presets by name; each stands beside its network, and this file knows none of them.

    @register("implicit", ImplicitConfig, presets=[...])
    class Implicit(R2N2): ...

Families are found by their place: every module of the packages in ``jc3d/models`` is imported on the first look-up.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import torch

from jc3d.models.model import Model, ModelConfig

M = TypeVar("M", bound=type[Model])


class Family(NamedTuple):
    """A kind of model.

    Attributes:
        model: its class, made from a config alone.
        config: the class of its configs.
    """

    model: type[Model]
    config: type[ModelConfig]


_families: dict[str, Family] = {}
_presets: dict[str, ModelConfig] = {}


def register(family: str, config: type[ModelConfig], presets: Sequence[ModelConfig] = ()) -> Callable[[M], M]:
    """Registers the class it decorates.

    Args:
        family: its name, which weights files and fingerprints hold.
        config: the class of its configs; no other family has it.
        presets: its architectures that have a name.

    Raises:
        ValueError: a family or preset of that name is there already, or the config's class is another family's.
    """

    def decorate(model: M) -> M:
        taken = ({family} & _families.keys()) | ({preset.name for preset in presets} & _presets.keys())
        if taken:
            raise ValueError(f"register: expected new names, got {', '.join(sorted(taken))}, registered already")
        if "family" in vars(config):
            raise ValueError(f"config: expected a class of this family alone, got {config.__name__} of {config.family}")
        config.family = family
        _families[family] = Family(model, config)
        _presets.update((preset.name, preset) for preset in presets)
        return model

    return decorate


def family(name: str) -> Family:
    """The family of a name.

    Raises:
        ValueError: there is none.
    """
    _discover()
    if name not in _families:
        raise ValueError(f"family: expected one of {', '.join(sorted(_families))}, got {name!r}")
    return _families[name]


def presets() -> Mapping[str, ModelConfig]:
    """Every architecture that has a name."""
    _discover()
    return MappingProxyType(_presets)


def preset(name: str) -> ModelConfig:
    """The config of a preset.

    Raises:
        ValueError: no such preset.
    """
    known = presets()
    if name not in known:
        raise ValueError(f"preset: expected one of {', '.join(sorted(known))}, got {name!r}")
    return known[name]


def build(config: ModelConfig) -> Model:
    """The model of a config, with torch's own initial weights."""
    return family(config.family).model(config)


def create(name: str, seed: int = 0) -> Model:
    """A model of a preset with fresh weights.

    Args:
        name: of a preset.
        seed: seeds the weights; torch's global generator is left as it was.

    Raises:
        ValueError: no such preset.
    """
    config = preset(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(config)


@functools.cache
def _discover() -> None:
    """Imports every module of the packages beside this file."""
    import jc3d.models as package

    for kind in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if kind.ispkg:
            folder = importlib.import_module(kind.name)
            for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
                importlib.import_module(module.name)
