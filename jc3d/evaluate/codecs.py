"""What an evaluation asks of a codec, and how models answer; classical codecs do in :mod:`jc3d.evaluate.baselines`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from typing import Protocol as Interface

from torch import Tensor

from jc3d.codec import Codes
from jc3d.evaluate.measures.registry import Measures
from jc3d.evaluate.protocol import Protocol
from jc3d.evaluate.report import Identity
from jc3d.evaluate.rows import Setting
from jc3d.infer import Codec


@dataclass(frozen=True)
class Coded:
    """What one object's views became at one setting.

    Attributes:
        setting: of views and rate.
        payload_bytes: of the codes.
        file_bytes: of the files that hold them.
        receive: what the codes become at the receiver, for measures that the codec is capable of.
        met: of each view, whether its stream is as small as was asked for; empty where nothing was.
    """

    setting: Setting
    payload_bytes: int
    file_bytes: int
    receive: Callable[[Measures], Any]
    met: tuple[bool, ...] = ()


class EvaluatedCodec(Interface):
    """A codec as the loop of :func:`jc3d.evaluate.evaluate` sees it."""

    @property
    def identity(self) -> Identity:
        """Which codec it is."""
        ...

    def can(self, capability: type) -> bool:
        """Whether it gives what is measured of a capability."""
        ...

    def complete(self, protocol: Protocol) -> Protocol:
        """The protocol with the rates that will be run.

        Raises:
            ValueError: the codec does not have the rates that are asked for.
        """
        ...

    def code(self, views: Tensor, protocol: Protocol) -> Iterator[Coded]:
        """Every setting of the protocol on the views of one object.

        Args:
            views: (V, 3, H, W) uint8, as many as the protocol's most.
            protocol: a complete one.
        """
        ...


class ModelCodec:
    """A model: views are encoded once, and each setting takes the first views and iterations of these codes.

    Every setting goes through the bytes of a file of its own.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        config = codec.model.config
        self.identity = Identity(codec.name, codec.model.fingerprint.hex(), config.code_bits)

    def can(self, capability: type) -> bool:
        """See :class:`EvaluatedCodec`."""
        return isinstance(self._codec.model, capability)

    def complete(self, protocol: Protocol) -> Protocol:
        """See :class:`EvaluatedCodec`."""
        return protocol.for_model(self._codec.name, self._codec.model.config.max_iterations)

    def code(self, views: Tensor, protocol: Protocol) -> Iterator[Coded]:
        """See :class:`EvaluatedCodec`."""
        sent = self._codec.encode(views, max(protocol.iterations), refinement_steps=protocol.refinement_steps)
        for count in protocol.views:
            for iterations in protocol.iterations:
                # What a camera would have sent of fewer views: a view's code does not depend on the others.
                file = replace(sent, bits=sent.bits[:iterations, :count]).to_bytes()
                codes = Codes.from_bytes(file)
                yield Coded(Setting(count, iterations, None), codes.payload_bytes, len(file), self._receiver(codes))

    def _receiver(self, codes: Codes) -> Callable[[Measures], Any]:
        return lambda measures: measures.receive(self._codec, codes)
