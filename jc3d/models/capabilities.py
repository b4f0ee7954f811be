"""What a model can do beside :meth:`jc3d.models.model.Model.compress`: whoever receives codes asks for one of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar, runtime_checkable

from torch import Tensor, nn

if TYPE_CHECKING:
    from jc3d.models.model import Model
    from jc3d.models.shape.reconstruction import Reconstruction

C = TypeVar("C", bound=type)
P = TypeVar("P")

_verbs: dict[type, str] = {}


def capability(verb: str) -> Callable[[C], C]:
    """Names what a protocol stands for, to be said where a model does not have it.

    Args:
        verb: completes "a model that ...".
    """

    def decorate(protocol: C) -> C:
        _verbs[protocol] = verb
        return protocol

    return decorate


def verb_of(protocol: type) -> str:
    """What a model of a capability does, as :func:`capability` names it."""
    return _verbs[protocol]


def require(model: Model, protocol: type[P]) -> P:
    """The model as one that has a capability.

    Raises:
        ValueError: it has not.
    """
    if not isinstance(model, protocol):
        raise ValueError(f"model: expected one that {verb_of(protocol)}, got {model.config.name}")
    return model


@capability("decodes images")
@runtime_checkable
class DecodesImages(Protocol):
    """Codes to images."""

    def decompress(self, packed: Tensor, image_size: tuple[int, int]) -> Tensor:
        """Images of the iterations that are there; nothing but the codes decides what comes out.

        Args:
            packed: (V, T, bytes) uint8, as of :meth:`jc3d.models.model.Model.compress`.
            image_size: (height, width).

        Returns:
            (V, 3, height, width) float32 in [0, 1].

        Raises:
            ValueError: wrong shape, iterations out of range, or the model is in training mode.
        """
        ...


class ImageDecoder(Protocol):
    """Views whose images get better with every iteration; the state is kept, so each costs the same."""

    def add(self, packed: Tensor) -> None:
        """Decodes the next iteration, (V, bytes) uint8; V is that of the first."""
        ...

    def images(self) -> Tensor:
        """The views as they are now, (V, 3, height, width) float32 in [0, 1]."""
        ...


@capability("decodes images iteration by iteration")
@runtime_checkable
class DecodesProgressively(DecodesImages, Protocol):
    """Codes to images, iteration by iteration."""

    def open_decoder(self, image_size: tuple[int, int]) -> ImageDecoder:
        """A decoder that has seen no iteration yet.

        Raises:
            ValueError: images of a size that is not coded.
        """
        ...


@capability("reconstructs")
@runtime_checkable
class ReconstructsShape(Protocol):
    """Codes to an occupancy grid."""

    @property
    def reconstruction(self) -> Reconstruction:
        """What the codes enter: recurrence and decoder."""
        ...

    def shape_inputs(self, packed: Tensor) -> Tensor:
        """What the recurrence reads of codes.

        Args:
            packed: (V, T, bytes) uint8, as of :meth:`jc3d.models.model.Model.compress`.

        Returns:
            (rows, K) float32 or, where it reads bits, (rows, ceil(K / 8)) uint8, for :meth:`Reconstruction.receive`: a
            row a view, or several.
        """
        ...


@capability("encodes views to bits in one pass")
@runtime_checkable
class EncodesBits(Protocol):
    """Views to the signs of numbers that can be looked at."""

    def pre_activations(self, views: Tensor) -> Tensor:
        """The numbers, (V, 3, height, width) in [0, 1] to (V, K): a bit is 1 where its number is not negative."""
        ...


class ExportPart(NamedTuple):
    """A part of a model for other runtimes.

    Attributes:
        module: computes it; in eval mode.
        inputs: names, and an example of each with two rows; the first axis is the batch and may have any size.
        outputs: names.
        ops: those of jc3d that the module calls, by name: torch's own take their place in what is written.
    """

    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]
    ops: tuple[str, ...] = ()


@capability("can be exported in parts")
@runtime_checkable
class ExportsParts(Protocol):
    """Parts that run without jc3d, see :mod:`jc3d.export.model_parts`."""

    def export_parts(self) -> dict[str, ExportPart]:
        """The parts by name, of the model as it is."""
        ...
