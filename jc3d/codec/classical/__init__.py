"""JPEG 2000, JPEG and WebP behind one interface: an image in a given number of bytes."""

from __future__ import annotations

from jc3d.codec.classical.image_codec import CODECS, CompressedImage, decode_image, encode_image
from jc3d.codec.classical.jpeg2000 import Backend, jpeg2000_backends

__all__ = ["CODECS", "Backend", "CompressedImage", "decode_image", "encode_image", "jpeg2000_backends"]
