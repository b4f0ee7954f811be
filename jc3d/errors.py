"""The errors jc3d raises about its inputs, and the one raised when an optional extra is missing."""

from __future__ import annotations

import importlib
from types import ModuleType


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
