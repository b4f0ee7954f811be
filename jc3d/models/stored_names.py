"""Names in files: what was renamed in the code keeps its stored name, so that fingerprints and old files stay valid.

A config field gives its stored name as ``field(metadata={"stored": "old_name"})``. A module gives those of the tensors
below it as ``stored_prefixes``, from a prefix of a state dict's keys to the prefix it has in files, both relative to
the module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

from torch import Tensor, nn

from jc3d.errors import renamed_arguments

T = TypeVar("T")


def stored_config(config: Any) -> dict[str, Any]:
    """A config as JSON-serialisable values under stored names; configs within it are dicts of their own."""
    values = {_stored(field): getattr(config, field.name) for field in fields(config)}
    return {name: stored_config(value) if is_dataclass(value) else value for name, value in values.items()}


def changed_config(config: Any) -> dict[str, Any]:
    """The part of :func:`stored_config` that differs from the defaults, which is what a fingerprint covers."""
    changed = {_stored(field): getattr(config, field.name) for field in fields(config)
               if getattr(config, field.name) != field.default}  # fmt: skip
    return {name: changed_config(value) if is_dataclass(value) else value for name, value in changed.items()}


def config_of(kind: type[T], raw: Mapping[str, Any]) -> T:
    """The reverse of :func:`stored_config`, after JSON: lists become tuples, dicts configs of their field's type.

    Raises:
        ValueError: a name that no field is stored by, or a value that the config refuses.
        TypeError: a field without a default is missing, or a value of another type.
    """
    names = {_stored(field): field.name for field in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    values = {}
    for stored, value in raw.items():
        if stored not in names:
            raise ValueError(f"config: expected fields of {kind.__name__}, got {stored!r}")
        hint = hints[names[stored]]
        if isinstance(value, list):
            value = tuple(value)
        elif isinstance(value, dict) and is_dataclass(hint):
            value = config_of(hint, value)  # type: ignore[arg-type]
        values[names[stored]] = value
    return kind(**values)


def takes_stored_names(kind: type[T]) -> type[T]:
    """Lets a config's fields also be given by their stored names for a release, with a `DeprecationWarning`."""
    old_names = {field.name: _stored(field) for field in fields(kind)}  # type: ignore[arg-type]
    renamed = {new: old for new, old in old_names.items() if new != old}
    kind.__init__ = renamed_arguments(**renamed)(kind.__init__)  # type: ignore[method-assign]
    return kind


def stored_state(model: nn.Module) -> dict[str, Tensor]:
    """A model's state dict under stored names.

    Raises:
        ValueError: two tensors would be stored under one name.
    """
    state = model.state_dict()
    stored = {_stored_key(model, key): tensor for key, tensor in state.items()}
    if len(stored) < len(state):
        raise ValueError(f"stored_prefixes: expected another name for each of {len(state)} tensors, got {len(stored)}")
    return stored


def state_of(model: nn.Module, stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The reverse of :func:`stored_state`: tensors under the names of this model's state dict.

    Raises:
        KeyError: a tensor of the model is missing.
    """
    return {key: stored[_stored_key(model, key)] for key in model.state_dict()}


def _stored(field: Field[Any]) -> str:
    name: str = field.metadata.get("stored", field.name)
    return name


def _stored_key(module: nn.Module, key: str) -> str:
    """A key of the module's state dict under its stored name.

    The longest of the module's prefixes that fits counts, else the name of its child; the module that this leads to
    says how the rest is stored.
    """
    prefixes: Mapping[str, str] = getattr(module, "stored_prefixes", {})
    parts = key.split(".")
    for count in range(len(parts), 0, -1):
        prefix = ".".join(parts[:count])
        if prefix in prefixes or count == 1:
            break
    stored, rest = prefixes.get(prefix, prefix), ".".join(parts[count:])
    return f"{stored}.{_stored_key(module.get_submodule(prefix), rest)}" if rest else stored
