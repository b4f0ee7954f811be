"""Classical codecs as what models are compared with: the same objects, views and measures, at sizes asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from jc3d.codec.classical import CODECS, CompressedImage, encode_image
from jc3d.evaluate.codecs import Coded
from jc3d.evaluate.measures.registry import Measures
from jc3d.evaluate.protocol import Protocol
from jc3d.evaluate.report import PAYLOAD, Identity
from jc3d.evaluate.rows import Setting
from jc3d.models.capabilities import DecodesImages

BASELINES = tuple(name + counted for name in CODECS for counted in ("", PAYLOAD))
"""Names of the classical codecs: whole streams, and payloads alone."""


class ClassicalCodec:
    """A codec of :mod:`jc3d.codec.classical`, each view a stream.

    Args:
        name: one of :data:`BASELINES`.

    Raises:
        ValueError: another name.
        MissingExtraError: the software is not installed.
    """

    def __init__(self, name: str) -> None:
        if name not in BASELINES:
            raise ValueError(f"codec: expected one of {', '.join(BASELINES)}, got {name!r}")
        self._codec, self._header_free = name.removesuffix(PAYLOAD), name.endswith(PAYLOAD)
        self.identity = Identity(name, library=_library(self._codec))

    def can(self, capability: type) -> bool:
        """See :class:`jc3d.evaluate.codecs.EvaluatedCodec`."""
        return capability is DecodesImages

    def complete(self, protocol: Protocol) -> Protocol:
        """See :class:`jc3d.evaluate.codecs.EvaluatedCodec`."""
        return protocol.for_classical(self.identity.name)

    def code(self, views: Tensor, protocol: Protocol) -> Iterator[Coded]:
        """See :class:`jc3d.evaluate.codecs.EvaluatedCodec`."""
        streams = {size: [self._encode(view, size) for view in views] for size in protocol.num_bytes}
        for count in protocol.views:
            for size, of_all in streams.items():
                first = of_all[:count]
                yield Coded(
                    Setting(count, None, size),
                    sum(stream.payload_bytes for stream in first),
                    sum(stream.num_bytes for stream in first),
                    partial(_images, first),
                    met=tuple(stream.met for stream in first),
                )

    def _encode(self, view: Tensor, num_bytes: int) -> CompressedImage:
        pixels = view.permute(1, 2, 0).numpy()
        return encode_image(pixels, self._codec, num_bytes=num_bytes, header_free=self._header_free)


def _images(streams: list[CompressedImage], measures: Measures) -> Tensor:
    """(V, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.stack([stream.decode() for stream in streams])).permute(0, 3, 1, 2).float() / 255


def _library(codec: str) -> str:
    """The software that encodes, by encoding a pixel."""
    return encode_image(np.zeros((16, 16, 3), np.uint8), codec, num_bytes=64).library
