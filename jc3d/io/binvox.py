"""The .binvox format: run-length voxels with a text header.

The file's cells run with y fastest, then z, then x; grids here are indexed [x, y, z] as everywhere in the project.
The format's ``translate`` and ``scale`` place the grid: its low corner and its side.  A grid of the project spans
[-0.5, 0.5], so it is written with translate -0.5 -0.5 -0.5 and scale 1.

Source: https://www.patrickmin.com/binvox/binvox.html (the format's own page).
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MAGIC = b"#binvox 1\n"
_MAX_LINE = 128  # bytes of a header line; also keeps int() and float() cheap on hostile input
_MAX_RUN = 255


class Binvox(NamedTuple):
    """Contents of a .binvox file.

    Attributes:
        grid: (n, n, n) bool, indexed [x, y, z].
        scale: side of the grid, in the file's units.
        translate: the grid's low corner, in the file's units.
    """

    grid: NDArray[np.bool_]
    scale: float
    translate: tuple[float, float, float]


def read_binvox(source: str | os.PathLike[str] | bytes) -> Binvox:
    """Reads a .binvox file.

    Args:
        source: a path, or the file's bytes.

    Raises:
        ValueError: the bytes are no .binvox file, or a damaged one; nothing is allocated before that is known.
        OSError: the file cannot be read.
    """
    name = "binvox" if isinstance(source, bytes) else os.fspath(source)
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    if not data.startswith(_MAGIC):
        raise ValueError(f"{name}: expected a file starting with {_MAGIC!r}, got {data[: len(_MAGIC)]!r}")
    side, scale, translate, start = 0, 1.0, (0.0, 0.0, 0.0), len(_MAGIC)
    while True:
        end = data.find(b"\n", start, start + _MAX_LINE)
        if end < 0:
            raise ValueError(f"{name}: expected a header line at byte {start}, got {data[start : start + 20]!r}")
        key, *words = data[start:end].split() or [b"#"]
        if key == b"data" and not words:
            break
        if key == b"dim" and len(words) == 3 and words[0].isdigit() and words[0] == words[1] == words[2]:
            side = int(words[0])
        elif key.startswith(b"#"):  # a comment, or an empty line
            pass
        elif key == b"translate" and len(words) == 3:
            x, y, z = (_number(word, name) for word in words)
            translate = (x, y, z)
        elif key == b"scale" and len(words) == 1:
            scale = _number(words[0], name)
        else:
            raise ValueError(
                f"{name}: expected 'dim n n n', 'translate x y z', 'scale s' or 'data' at byte {start}, "
                f"got {data[start:end]!r}"
            )
        start = end + 1
    if side < 1:
        raise ValueError(f"{name}: expected dim of at least 1, got {side or 'none'}")
    if (len(data) - end - 1) % 2:
        raise ValueError(f"{name}: expected pairs of value and count, got an odd number of bytes")
    values, counts = np.frombuffer(data, dtype=np.uint8, offset=end + 1).reshape(-1, 2).T
    if (values > 1).any():
        raise ValueError(f"{name}: expected cell values 0 and 1, got {int(values.max())}")
    total = int(counts.sum(dtype=np.int64))
    if total != side**3:
        raise ValueError(f"{name}: expected {side}^3 = {side**3} cells, got {total}")
    cells = np.repeat(values.astype(np.bool_), counts)
    return Binvox(np.ascontiguousarray(cells.reshape(side, side, side).transpose(0, 2, 1)), scale, translate)


def _number(word: bytes, name: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, got {word!r}")
    return value


def encode_binvox(
    grid: ArrayLike, scale: float = 1.0, translate: tuple[float, float, float] = (-0.5, -0.5, -0.5)
) -> bytes:
    """Gives the bytes of a .binvox file.

    Args:
        grid: (n, n, n) bool, indexed [x, y, z].
        scale: side of the grid, finite.
        translate: the grid's low corner, finite.

    Raises:
        ValueError: the grid is not bool, not a cube or empty, or a number is not finite.
    """
    cells = np.asarray(grid)
    if cells.dtype != np.bool_ or cells.ndim != 3 or len(set(cells.shape)) != 1 or cells.size == 0:
        raise ValueError(f"grid: expected (n, n, n) bool, got {cells.shape} {cells.dtype}")
    if not all(math.isfinite(number) for number in (scale, *translate)):
        raise ValueError(f"scale, translate: expected finite numbers, got {scale}, {translate}")
    flat = cells.transpose(0, 2, 1).reshape(-1)
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(starts, append=flat.size)
    # A run longer than a byte counts is written as full runs and a rest.
    pieces = -(-lengths // _MAX_RUN)
    counts = np.full(int(pieces.sum()), _MAX_RUN)
    counts[np.cumsum(pieces) - 1] = lengths - (pieces - 1) * _MAX_RUN
    runs = np.stack([np.repeat(flat[starts], pieces), counts], axis=1).astype(np.uint8)
    side = cells.shape[0]
    numbers = " ".join(repr(float(number)) for number in translate)
    header = f"dim {side} {side} {side}\ntranslate {numbers}\nscale {float(scale)!r}\ndata\n"
    return _MAGIC + header.encode() + runs.tobytes()
