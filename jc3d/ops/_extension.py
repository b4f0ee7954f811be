"""Loads the compiled module ``jc3d._C`` once, and remembers why it could not be loaded.

Loading it registers the CPU and CUDA kernels of the ops with PyTorch's dispatcher. Nothing else in the package
imports it.
"""

from __future__ import annotations

import functools
import importlib
import os
from dataclasses import dataclass
from types import ModuleType

REQUIRE_VARIABLE = "JC3D_REQUIRE_EXTENSION"


@dataclass(frozen=True)
class Extension:
    """The compiled module, or the reason why there is none."""

    module: ModuleType | None
    reason: str


@functools.cache
def extension() -> Extension:
    """Loads the compiled module at the first call and returns the same result ever after.

    Raises:
        ImportError: the module can't be loaded and the environment variable ``JC3D_REQUIRE_EXTENSION`` is ``1``.
    """
    try:
        return Extension(importlib.import_module("jc3d._C"), "")
    except ImportError as error:
        if os.environ.get(REQUIRE_VARIABLE) == "1":
            raise ImportError(f"{REQUIRE_VARIABLE}=1, and the compiled module can't be loaded: {error}") from error
        return Extension(None, f"the compiled module can't be loaded: {error}")
