"""JPEG 2000 by OpenJPEG, through glymur or through Pillow: raw codestreams (``.j2k``).

Both back ends are set alike, so that they differ by no more than their versions of OpenJPEG do: the irreversible 9/7
wavelet, the colour transform, 6 resolutions (fewer where a side has less than 32 pixels), one tile, one layer,
code-blocks of 64x64.
The comment in which OpenJPEG names itself is taken out: no decoder needs its 39 bytes, and they would count.

Source: ITU-T T.800, annex A.
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from PIL import Image

from jc3d.codec.classical.search import by_rate
from jc3d.codec.classical.stream import Pixels, Reader, Stream, Target, pillow_library
from jc3d.errors import MissingExtraError, require_extra

_RESOLUTIONS = 6
_SOC, _SIZ, _COD, _QCD, _COM = 0xFF4F, 0xFF51, 0xFF52, 0xFF5C, 0xFF64
_SOT, _SOD, _EOC = 0xFF90, 0xFF93, 0xFFD9
_glymur_lock = threading.Lock()  # glymur keeps the library's errors in one queue of the process


@dataclass(frozen=True)
class Backend:
    """A way to OpenJPEG on this machine.

    Args:
        name: ``"glymur"`` or ``"pillow"``.
        library: the software and its versions, such as ``"glymur 0.14.8, OpenJPEG 2.5.0"``; None where not available.
        reason: why it is not available, and what to install; None where it is.
    """

    name: str
    library: str | None
    reason: str | None

    @property
    def available(self) -> bool:
        """Whether it can be used."""
        return self.library is not None


def jpeg2000_backends() -> dict[str, Backend]:
    """The back ends by name, in the order in which ``"auto"`` takes the first that is available."""
    return {name: _probe(name) for name in BACKENDS}


def library() -> str:
    """Which software decodes: always Pillow's, so that two back ends differ by their encoders alone."""
    return pillow_library("jpg_2000", "OpenJPEG")


def encode(pixels: Pixels, target: Target, backend: str) -> tuple[Stream, str]:
    """The stream for a target, and the library; see `jc3d.codec.classical.encode_image`."""
    probed = _choose(backend)
    resolutions = min(_RESOLUTIONS, min(pixels.shape[:2]).bit_length())

    def asking(num_bytes: int) -> Stream:
        data = BACKENDS[probed.name].encode(pixels, pixels.size / num_bytes, resolutions)
        return parse(_without_comments(data))

    return by_rate(asking, pixels.size, target), str(probed.library)


def parse(data: bytes) -> Stream:
    """Takes a codestream apart; the payload is its packets, with their own headers.

    Args:
        data: the whole codestream, nothing after it.

    Raises:
        CodesError: not one whole codestream of one tile with one or three 8-bit components; the message says where.
    """
    reader, found = Reader(data, "JPEG 2000"), set()
    size, position = None, 2
    for marker, start, end in _main_header(reader):
        found.add(marker)
        position = end
        if (marker == _SIZ) != (start == 2):
            raise reader.error(start, "SIZ as the first segment, and once", f"{marker:#x}")
        if marker == _SIZ:
            size = _image_size(reader, start + 4, end)
    if size is None or not {_COD, _QCD} <= found:
        raise reader.error(position, "SIZ, COD and QCD before the first tile", f"{len(found)} other segments")
    payload = 0
    while reader.u16(position) == _SOT:
        end, part_payload = _tile_part(reader, position)
        payload += part_payload
        position = end
    reader.check(position, "marker", _EOC, reader.u16(position))
    if position + 2 != len(data):
        raise reader.error(position + 2, "the end", f"{len(data) - position - 2} more bytes")
    return Stream(data, len(data) - payload, *size)


def _main_header(reader: Reader) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each segment from SIZ to the first tile-part."""
    reader.check(0, "marker", _SOC, reader.u16(0))
    position = 2
    while (marker := reader.u16(position)) != _SOT:
        if not 0xFF50 <= marker <= 0xFF6F:
            raise reader.error(position, "a segment of the main header", f"{marker:#x}")
        end = reader.segment_end(position + 2)
        yield marker, position, end
        position = end


def _image_size(reader: Reader, at: int, end: int) -> tuple[int, int, int]:
    """(height, width, channels) of the SIZ segment whose fields start there."""
    width, height, *offset = (reader.u32(at + 2 + 4 * index) for index in range(4))
    reader.check_size(at + 2, height, width)
    tile_width, tile_height, *tile_offset = (reader.u32(at + 18 + 4 * index) for index in range(4))
    if any(offset) or any(tile_offset) or tile_width < width or tile_height < height:
        raise reader.error(at + 10, "one tile over the whole image", f"{tile_width}x{tile_height} at {tile_offset}")
    channels = reader.u16(at + 34)
    if channels not in (1, 3) or end != at + 36 + 3 * channels:
        raise reader.error(at + 34, "1 or 3 components and nothing after them", channels)
    for field in range(at + 36, end, 3):
        if (found := tuple(reader.u8(field + index) for index in range(3))) != (7, 1, 1):
            raise reader.error(field, "8 bits without sign or subsampling, (7, 1, 1)", found)
    return height, width, channels


def _tile_part(reader: Reader, start: int) -> tuple[int, int]:
    """Where a tile-part ends, and how many bytes of packets it has."""
    reader.check(start + 2, "length", 10, reader.u16(start + 2))
    reader.check(start + 4, "tile", 0, reader.u16(start + 4))
    length = reader.u32(start + 6) or len(reader.data) - 2 - start  # 0: up to the end marker
    end, position = start + length, start + 12
    if end > len(reader.data):
        raise reader.error(start + 6, f"a tile-part of at most {len(reader.data) - start} bytes", length)
    while (marker := reader.u16(position)) != _SOD:
        if not 0xFF50 <= marker <= 0xFF6F:
            raise reader.error(position, "a segment of a tile-part header", f"{marker:#x}")
        position = reader.segment_end(position + 2)
    if position + 2 > end:
        raise reader.error(start + 6, f"a tile-part of at least {position + 2 - start} bytes", length)
    return end, end - position - 2


def _without_comments(data: bytes) -> bytes:
    reader, kept, end = Reader(data, "JPEG 2000"), [data[:2]], 2
    for marker, start, end in _main_header(reader):
        if marker != _COM:
            kept.append(data[start:end])
    return b"".join([*kept, data[end:]])  # from the end of the last segment on, tile-parts


def _pillow_encode(pixels: Pixels, ratio: float, resolutions: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(
        file,
        "JPEG2000",
        no_jp2=True,
        irreversible=True,
        mct=int(pixels.ndim == 3),
        num_resolutions=resolutions,
        quality_mode="rates",
        quality_layers=[ratio],
    )
    return file.getvalue()


def _glymur_encode(pixels: Pixels, ratio: float, resolutions: int) -> bytes:
    glymur = require_extra("glymur", "jpeg2000")

    # OpenJPEG, as glymur calls it, writes files only.
    with tempfile.TemporaryDirectory(prefix="jc3d-") as folder, _glymur_lock:
        path = os.path.join(folder, "image.j2k")
        glymur.Jp2k(path, data=pixels, irreversible=True, mct=pixels.ndim == 3, numres=resolutions, cratios=(ratio,))
        with open(path, "rb") as file:
            return file.read()


@cache
def _glymur_library() -> str:
    glymur = require_extra("glymur", "jpeg2000")
    openjpeg = glymur.version.openjpeg_version
    if openjpeg == "0.0.0":  # what glymur says without the library
        raise MissingExtraError(
            "glymur finds no libopenjp2: apt install libopenjp2-7, brew install openjpeg or conda install openjpeg"
        )
    return f"glymur {glymur.__version__}, OpenJPEG {openjpeg}"


class _Functions(NamedTuple):
    library: Callable[[], str]
    encode: Callable[[Pixels, float, int], bytes]


BACKENDS = {"glymur": _Functions(_glymur_library, _glymur_encode), "pillow": _Functions(library, _pillow_encode)}


def _probe(name: str) -> Backend:
    try:
        return Backend(name, BACKENDS[name].library(), None)
    except MissingExtraError as error:
        return Backend(name, None, str(error))


def _choose(name: str) -> Backend:
    backends = [_probe(name)] if name != "auto" else list(jpeg2000_backends().values())
    for backend in backends:
        if backend.available:
            return backend
    raise MissingExtraError("; ".join(str(backend.reason) for backend in backends))
