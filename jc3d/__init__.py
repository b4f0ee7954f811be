"""Send each view in 128 bytes; get the shape back.

Views of an object are compressed to binary codes; a recurrent 3D network reconstructs a 32³ occupancy grid from the
codes of several views (Golts & Schechner, *Image compression optimized for 3D reconstruction by utilizing deep neural
networks*).

    codec = jc3d.load("implicit-384")
    codes = codec.encode(["v0.png", "v1.png"])
    codes.save("chair.jc3d")
    grid = jc3d.infer.reconstruct("chair.jc3d")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from jc3d._version import __version__
from jc3d.errors import CodesError, ImageError, MissingExtraError, WeightsError

if TYPE_CHECKING:
    from jc3d import infer, models, ops
    from jc3d.codec import Codes
    from jc3d.infer import Codec, Stream, load
    from jc3d.ops.build_info import build_info

__all__ = [
    "Codec",
    "Codes",
    "CodesError",
    "ImageError",
    "MissingExtraError",
    "Stream",
    "WeightsError",
    "__version__",
    "build_info",
    "infer",
    "load",
    "models",
    "ops",
]

# Imported on first use: torch takes seconds, and `jc3d --help` must not wait for it.
_HOMES = {
    "Codec": "jc3d.infer",
    "Codes": "jc3d.codec",
    "Stream": "jc3d.infer",
    "build_info": "jc3d.ops.build_info",
    "infer": "",
    "load": "jc3d.infer",
    "models": "",
    "ops": "",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jc3d' has no attribute {name!r}")
    home = _HOMES[name]
    value = getattr(importlib.import_module(home), name) if home else importlib.import_module(f"jc3d.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
