"""Kinds of sources by name; each stands beside its class, and this file knows none of them.

    @register_source("meshes")
    class MeshSource: ...

Kinds are found by their place: every module beside this file is imported on the first look-up.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from jc3d.data.samples import Source

S = TypeVar("S", bound=Callable[..., Source])


class SourceKind(NamedTuple):
    """How sources of a kind are opened.

    Attributes:
        open: called with the folder, where it takes one, and the split.
        takes_folder: whether its objects stand in a folder.
    """

    open: Callable[..., Source]
    takes_folder: bool


_kinds: dict[str, SourceKind] = {}


def register_source(name: str, takes_folder: bool = True) -> Callable[[S], S]:
    """Registers the class or function it decorates as what opens the sources of a kind.

    Args:
        name: of the kind, as in ``NAME=FOLDER``.
        takes_folder: whether it is called with ``(folder, split)`` or with ``(split)`` alone.

    Raises:
        ValueError: a kind of that name is there already.
    """

    def decorate(opener: S) -> S:
        if name in _kinds:
            raise ValueError(f"source: expected a new name, got {name!r}, which is registered already")
        _kinds[name] = SourceKind(opener, takes_folder)
        return opener

    return decorate


def source_kinds() -> dict[str, SourceKind]:
    """Every kind of source by its name."""
    _discover()
    return _kinds


@functools.cache
def _discover() -> None:
    """Imports every module beside this file."""
    import jc3d.data.sources as package

    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
