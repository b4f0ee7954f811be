"""Images by classical codecs: what they are compared with, at the size they are asked for.

``docs/reference/classical-codecs.md`` says how sizes are counted and how the codecs are set.
"""

from __future__ import annotations

import io
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from PIL import Image

from jc3d.codec.classical import jpeg, jpeg2000, webp
from jc3d.codec.classical.stream import Pixels, Stream, Target
from jc3d.errors import CodesError, ImageError
from jc3d.io.limits import MAX_PIXELS
from jc3d.metrics.rate import compression_ratio, image_bytes


class Format(NamedTuple):
    """A format: how it starts, what Pillow calls it, and the functions of its module."""

    magic: bytes
    pillow_format: str
    backends: tuple[str, ...]
    encode: Callable[[Pixels, Target, str], tuple[Stream, str]]
    parse: Callable[[bytes], Stream]
    library: Callable[[], str]


_BACKENDS = ("auto", *jpeg2000.BACKENDS)
CODECS = {
    "jpeg2000": Format(b"\xff\x4f\xff\x51", "JPEG2000", _BACKENDS, jpeg2000.encode, jpeg2000.parse, jpeg2000.library),
    "jpeg": Format(b"\xff\xd8", "JPEG", ("auto", "pillow"), jpeg.encode, jpeg.parse, jpeg.library),
    "webp": Format(b"RIFF", "WEBP", ("auto", "pillow"), webp.encode, webp.parse, webp.library),
}
"""The codecs by name."""


@dataclass(frozen=True)
class CompressedImage:
    """An image as `encode_image` compressed it.

    Args:
        data: the whole stream: a raw JPEG 2000 codestream (``.j2k``), or a JPEG or WebP file.
        codec: a name of `CODECS`.
        library: the software that encoded it, and its version.
        shape: of the image, (H, W, 3) or (H, W).
        header_bytes: bytes of ``data`` that are not payload: all of a JPEG 2000 codestream that is not packets, of a
            JPEG stream all that is not entropy-coded data, the container of a WebP file.
        target_bytes: the size that was asked for.
        header_free: whether that was the payload's size, and not the whole stream's.
    """

    data: bytes = field(repr=False)
    codec: str
    library: str
    shape: tuple[int, ...]
    header_bytes: int
    target_bytes: int
    header_free: bool

    @property
    def num_bytes(self) -> int:
        """Bytes of the whole stream."""
        return len(self.data)

    @property
    def payload_bytes(self) -> int:
        """Bytes of the whole stream but its headers."""
        return self.num_bytes - self.header_bytes

    @property
    def met(self) -> bool:
        """Whether the stream is as small as it was asked to be."""
        return (self.payload_bytes if self.header_free else self.num_bytes) <= self.target_bytes

    @property
    def image_bytes(self) -> int:
        """Bytes of the image as plain pixels, 24 bits each, or 8 where it is grey."""
        return image_bytes(*self._size)

    @property
    def ratio_payload(self) -> float:
        """Compression ratio by the payload alone."""
        return compression_ratio(self.payload_bytes, *self._size)

    @property
    def ratio_file(self) -> float:
        """Compression ratio by the whole stream."""
        return compression_ratio(self.num_bytes, *self._size)

    @property
    def _size(self) -> tuple[int, int, int, int]:
        """(height, width, images, channels), as :mod:`jc3d.metrics.rate` takes them."""
        return self.shape[0], self.shape[1], 1, 3 if len(self.shape) == 3 else 1

    def decode(self) -> Pixels:
        """The image as the codec kept it, uint8 of ``shape``.

        Raises:
            CodesError, MissingExtraError: as `decode_image`.
        """
        pixels = decode_image(self.data)
        if len(self.shape) == 2 and pixels.ndim == 3:  # WebP
            pixels = np.asarray(Image.fromarray(pixels).convert("L"))
        return pixels


def encode_image(
    image: Pixels,
    codec: str = "jpeg2000",
    *,
    num_bytes: int | None = None,
    ratio: float | None = None,
    header_free: bool = False,
    backend: str = "auto",
) -> CompressedImage:
    """Compresses an image at the best quality whose size does not exceed a target.

    A target that cannot be met is no error: the result is then the smallest stream that the codec gave, and its
    ``met`` is False.  The target is approached by encoding at most 24 times (JPEG, WebP: by quality, in steps of 1) or
    17 times (JPEG 2000: by rate, until a thousandth of the target is left).

    Args:
        image: uint8 (H, W, 3) RGB or (H, W) grey, up to 64 Mi pixels.
        codec: a name of `CODECS`: ``"jpeg2000"``, ``"jpeg"`` or ``"webp"``.
        num_bytes: the target in bytes, at least 1; either this or ``ratio``.
        ratio: the target as how many times smaller than the image's plain pixels, finite and above 0.
        header_free: whether only the payload counts, see `CompressedImage`.
        backend: how JPEG 2000 is encoded, a name of `jpeg2000_backends` or ``"auto"``: glymur where it and libopenjp2
            are installed, else Pillow.  ``library`` of the result says what it was.  Of the others ``"auto"`` or
            ``"pillow"``.

    Raises:
        ImageError: another shape or dtype, no pixel, or more than the codec takes.
        ValueError: another codec or back end, a target out of range, or not exactly one.
        MissingExtraError: the back end asked for is not installed, or Pillow lacks the codec.
        OSError: glymur cannot write its temporary file.
    """
    pixels = _check_image(image)
    if codec not in CODECS:
        raise ValueError(f"codec: expected one of {', '.join(CODECS)}, got {codec!r}")
    if backend not in CODECS[codec].backends:
        raise ValueError(f"backend: expected one of {', '.join(CODECS[codec].backends)} for {codec}, got {backend!r}")
    target = Target(_target_bytes(pixels.size, num_bytes, ratio), header_free)
    stream, library = CODECS[codec].encode(pixels, target, backend)
    return CompressedImage(
        stream.data, codec, library, pixels.shape, stream.header_bytes, target.num_bytes, target.header_free
    )


def decode_image(data: bytes | bytearray | memoryview) -> Pixels:
    """Decodes a stream of any of the codecs, told by its first bytes.

    Only what `encode_image` may write is read: 8 bits, one or three channels, one tile (JPEG 2000), no transparency and
    no metadata (WebP).

    Args:
        data: the whole stream, nothing after it.

    Returns:
        uint8 (H, W, 3), or (H, W) of a grey JPEG 2000 or JPEG stream.

    Raises:
        CodesError: not one whole stream, or one whose damage the decoder found; the message says where or what.
        MissingExtraError: Pillow was built without the codec.
    """
    data = bytes(data)
    for codec in CODECS.values():
        if data.startswith(codec.magic):
            break
    else:
        raise CodesError(f"data at byte 0: expected a stream of {', '.join(CODECS)}, got {data[:4]!r}")
    stream = codec.parse(data)
    codec.library()
    try:
        with Image.open(io.BytesIO(data), formats=[codec.pillow_format]) as opened:
            pixels: Pixels = np.array(opened)
    except Exception as error:  # Pillow's decoders raise whatever the damage led to
        raise CodesError(f"data: expected a whole image, got {type(error).__name__}: {error}") from error
    expected = (stream.height, stream.width) + ((3,) if stream.channels == 3 else ())
    if pixels.shape != expected or pixels.dtype != np.uint8:
        raise CodesError(f"data: expected uint8 {expected} by its header, got {pixels.dtype} {pixels.shape}")
    return pixels


def _check_image(image: Pixels) -> Pixels:
    if not isinstance(image, np.ndarray):
        raise ImageError(f"image: expected a uint8 array, got {type(image).__name__}")
    if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise ImageError(f"image: expected uint8 (H, W, 3) or (H, W), got {image.dtype} {image.shape}")
    if not 1 <= image.shape[0] * image.shape[1] <= MAX_PIXELS:
        raise ImageError(f"image: expected 1 to {MAX_PIXELS} pixels, got shape {image.shape}")
    return np.ascontiguousarray(image)


def _target_bytes(image_bytes: int, num_bytes: int | None, ratio: float | None) -> int:
    if (num_bytes is None) == (ratio is None):
        raise ValueError(f"num_bytes, ratio: expected exactly one, got {num_bytes} and {ratio}")
    if ratio is not None:
        if not (ratio > 0 and math.isfinite(ratio)):
            raise ValueError(f"ratio: expected a finite number above 0, got {ratio}")
        return math.floor(image_bytes / ratio * (1 + 1e-12))  # a ratio made of a size gives that size
    try:
        target = operator.index(num_bytes)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"num_bytes: expected an integer, got {num_bytes!r}") from None
    if target < 1:
        raise ValueError(f"num_bytes: expected at least 1, got {target}")
    return target
