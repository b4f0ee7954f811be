"""Loads the compiled module ``jc3d._C`` once, and remembers why it could not be loaded.

Loading it registers the CPU and CUDA kernels of the ops with PyTorch's dispatcher. Nothing else in the package
imports it.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import json
import os
import sys
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

REQUIRE_VARIABLE = "JC3D_REQUIRE_EXTENSION"
PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Extension:
    """The compiled module, or the reason why there is none."""

    module: ModuleType | None
    reason: str


@functools.cache
def extension() -> Extension:
    """Loads the compiled module at the first call and returns the same result ever after.

    Warns where the package that is imported has no compiled module and another copy of it has: a source tree that
    stands before the installed package, as for ``python -c`` and ``python -m`` in its folder.

    Raises:
        ImportError: the module can't be loaded and the environment variable ``JC3D_REQUIRE_EXTENSION`` is ``1``.
    """
    try:
        return Extension(importlib.import_module("jc3d._C"), "")
    except ImportError as error:
        reason = f"the compiled module can't be loaded: {error}"
        cause = error
    other = copy_with_module(PACKAGE)
    if other is not None:
        reason += (
            f" (this is the copy of jc3d in {PACKAGE}, which has none; the one in {other} has it: "
            "start Python with -P or in another folder, or build in this one: python setup.py build_ext --inplace)"
        )
    if os.environ.get(REQUIRE_VARIABLE) == "1":
        raise ImportError(f"{REQUIRE_VARIABLE}=1, and {reason}") from cause
    if other is not None:
        warnings.warn(f"jc3d runs on plain PyTorch: {reason}", stacklevel=2)
    return Extension(None, reason)


def copy_with_module(package: Path) -> Path | None:
    """Finds another copy of the package that has the compiled module.

    Args:
        package: folder of the copy that is imported.

    Returns:
        Folder of the other copy; None if there is none, or if ``package`` has the module itself.
    """
    if _has_module(package):
        return None
    return next((copy for copy in _copies() if _has_module(copy)), None)


def _has_module(package: Path) -> bool:
    return any(package.joinpath(f"_C{suffix}").is_file() for suffix in EXTENSION_SUFFIXES)


def _copies() -> Iterator[Path]:
    """Where an import looks: every place of the path, then the sources of editable installs."""
    for place in sys.path:
        yield Path(place, PACKAGE.name)
    for distribution in importlib.metadata.distributions(name=PACKAGE.name):
        source = json.loads(distribution.read_text("direct_url.json") or "{}")
        url = urllib.parse.urlsplit(source.get("url", ""))
        if url.scheme == "file" and source.get("dir_info", {}).get("editable"):
            yield Path(urllib.request.url2pathname(url.path), PACKAGE.name)
