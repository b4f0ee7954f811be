"""Both ends of the link: views to `Codes` at the camera, codes to an occupancy grid or images at the receiver.

    codec = jc3d.load("implicit-384")
    codes = codec.encode(["v0.png", "v1.png"])      # at the camera
    grid = jc3d.infer.reconstruct(codes.to_bytes()) # anywhere else

Models are chosen by name at the camera and by the codes' fingerprint at the receiver.
"""

from __future__ import annotations

from jc3d.infer.codec import Codec
from jc3d.infer.functions import decode, encode, reconstruct
from jc3d.infer.image_stream import ImageStream
from jc3d.infer.inputs import CodesLike
from jc3d.infer.packaged import load
from jc3d.infer.shape_stream import Stream

__all__ = ["Codec", "CodesLike", "ImageStream", "Stream", "decode", "encode", "load", "reconstruct"]
