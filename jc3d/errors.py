"""The errors jc3d raises about its inputs, the one raised when an optional extra is missing, and arguments renamed."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class CodesError(ValueError):
    """Bytes or codes that cannot be read or do not belong to the model at hand."""


class ImageError(ValueError):
    """A view that cannot be read as an image."""


class WeightsError(ValueError):
    """A weights file that is missing, damaged or of another architecture."""


class MissingExtraError(ImportError):
    """An optional package is needed and not installed; the message holds the command that installs it."""


def require_extra(module: str, extra: str) -> ModuleType:
    """Imports an optional module, or says how to get it.

    Args:
        module: import name, such as ``"trimesh"``.
        extra: the extra of jc3d that installs it, such as ``"mesh"``.

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(f"{module} is needed here: pip install 'jc3d[{extra}]'") from error


def renamed_arguments(**old_names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Lets a function take arguments by the names they had a release before, with a `DeprecationWarning`.

    Args:
        old_names: of each new name the old one, as in ``@renamed_arguments(refinement_steps="search_steps")``.

    Returns:
        A decorator. The function raises a `TypeError` where an argument is given by both names.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def renaming(*args: P.args, **kwargs: P.kwargs) -> R:
            for new, old in old_names.items():
                if old in kwargs:
                    if new in kwargs:
                        raise TypeError(f"{new}: expected one value, got another by its old name {old}")
                    warnings.warn(f"{old}: the argument is named {new} now", DeprecationWarning, stacklevel=2)
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return renaming

    return decorate
