"""Images for classical codecs, and the ways to encode them that this machine has."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from jc3d.codec.classical import CompressedImage, jpeg2000_backends
from jc3d.data.sources.procedural import ProceduralSource

Pixels = NDArray[np.uint8]

_glymur = jpeg2000_backends()["glymur"]
needs_glymur = pytest.mark.skipif(not _glymur.available, reason=str(_glymur.reason))
WAYS = [
    pytest.param("jpeg2000", "glymur", marks=needs_glymur),
    ("jpeg2000", "pillow"),
    ("jpeg", "pillow"),
    ("webp", "pillow"),
]
BACKENDS = [pytest.param("glymur", marks=needs_glymur), "pillow"]


@cache
def view(index: int = 5) -> Pixels:
    views = ProceduralSource("test").get(index, 0, 1).views.numpy()
    return np.ascontiguousarray(views[0].transpose(1, 2, 0))


def noise(*shape: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def smooth(height: int, width: int) -> Pixels:
    """A picture with content at all scales but the finest."""
    small = Image.fromarray(noise(max(2, height // 32), max(2, width // 32), 3))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def psnr(image: Pixels, other: Pixels) -> float:
    error = np.mean((image.astype(np.float64) - other) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-10)))


def counted(compressed: CompressedImage) -> int:
    return compressed.payload_bytes if compressed.header_free else compressed.num_bytes
