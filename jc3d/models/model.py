"""What every model is: a module built from a config, with an identity that codes carry, and views to bytes."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from jc3d.codec.wire import FINGERPRINT_BYTES
from jc3d.metrics.rate import compression_ratio
from jc3d.models.stored_names import changed_config, stored_state
from jc3d.nn.deterministic import float32_products
from jc3d.nn.freezable import Freezable

VIEW_SIZE = 128
"""Pixels along each side of the views of objects."""


class CodeFormat(NamedTuple):
    """What a view's code of one iteration is on the wire.

    Attributes:
        code_bits: its bits; 32 a number for float codes.
        binary: whether these are bits, or float32 numbers.
    """

    code_bits: int
    binary: bool


@dataclass(frozen=True)
class ModelConfig(ABC):
    """Architecture of a model; a family adds its fields.

    Attributes:
        name: preset name.
    """

    name: str

    family: ClassVar[str]
    """The name a family is registered by; :func:`jc3d.models.registry.register` sets it."""
    image_size: ClassVar[int | None] = VIEW_SIZE
    """Pixels along each side of the images that it encodes; None: any size that :meth:`check_size` accepts."""

    @abstractmethod
    def code_format(self, size: tuple[int, int]) -> CodeFormat:
        """The format of the code of an image (height, width)."""

    @property
    def max_iterations(self) -> int:
        """Most iterations of a view's code."""
        return 1

    @property
    def norm(self) -> bool:
        """Whether there are batch normalisations."""
        return False

    def with_norm(self, norm: bool) -> Self:
        """The same with or without batch normalisation; a family without any is always the same."""
        return self

    def check_size(self, size: tuple[int, int], name: str = "image_size") -> None:
        """Raises a ValueError for an image (height, width) that is not encoded; ``name`` is the argument's."""
        if self.image_size is not None and size != (self.image_size, self.image_size):
            raise ValueError(f"{name}: expected {(self.image_size, self.image_size)}, got {size}")

    @property
    def code_bits(self) -> int:
        """Bits of the code of a view of an object and one iteration."""
        return self.code_format((VIEW_SIZE, VIEW_SIZE)).code_bits

    @property
    def ratio(self) -> float:
        """Compression ratio of such a view and one iteration by payload, [J] eq. 12."""
        return compression_ratio(self.code_bits / 8, VIEW_SIZE, VIEW_SIZE)


class Part(Freezable):
    """A module that is built from a config and can be frozen: a model, or a part of one.

    Args:
        config: a frozen dataclass.
    """

    config: Any

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return next(self.parameters()).device

    @contextmanager
    def _inference(self, device: torch.device) -> Iterator[None]:
        """Float32 throughout, whatever the caller has set: neither autocast nor TF32."""
        if self.training:
            raise ValueError("model: expected eval mode (model.eval()), got training mode")
        with torch.autocast(device.type, enabled=False), float32_products(device):
            yield


class Model(Part, ABC):
    """A network with a name on the wire. What else it can do its capabilities say (:mod:`jc3d.models.capabilities`).

    Args:
        config: of the family that the class is registered for.
    """

    config: ModelConfig

    task: ClassVar[str]
    """What trains it, see :mod:`jc3d.train.tasks`."""
    refines: ClassVar[bool] = False
    """Whether a sender may refine its codes (:meth:`compress`): only where they serve images alone."""

    @abstractmethod
    def compress(self, images: Tensor, iterations: int | None = None, refinement_steps: int = 0) -> Tensor:
        """Codes of views as they go over the wire. A view's code depends on nothing but the view.

        Args:
            images: (V, 3, height, width) float32 in [0, 1], of a size that the config's ``check_size`` accepts.
            iterations: T, 1 to the config's ``max_iterations``; None: the most.
            refinement_steps: gradient steps by which the sender improves each iteration's code, where :attr:`refines`.

        Returns:
            (V, T, bytes) uint8: bits packed as by :func:`jc3d.ops.pack_bits`, or little-endian float32 numbers.

        Raises:
            ValueError: wrong shape, an argument out of range, or the model is in training mode.
        """

    def check_refinement(self, steps: int) -> None:
        """Raises a ValueError for steps that :meth:`compress` does not take."""
        if not isinstance(steps, int) or steps < 0 or (steps and not self.refines):
            what = "0 or more" if self.refines else f"0 with {self.config.name}, whose bits are not an image's alone"
            raise ValueError(f"refinement_steps: expected {what}, got {steps}")

    @property
    def fingerprint(self) -> bytes:
        """8 bytes that name this architecture with these weights: a SHA-256 prefix over the config and every tensor.

        Of the config only what differs from the defaults counts, so that a field added later changes no fingerprint.

        Raises:
            WeightsError: a weight was written to after :meth:`freeze`.
        """
        return self.of_frozen("fingerprint", (*self.parameters(), *self.buffers()), self._digest)

    def _digest(self) -> bytes:
        digest = hashlib.sha256(json.dumps([self.config.family, changed_config(self.config)], sort_keys=True).encode())
        for name, tensor in sorted(stored_state(self).items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().data)
        return digest.digest()[:FINGERPRINT_BYTES]


def check_iterations(config: ModelConfig, iterations: int) -> None:
    """Raises a ValueError for iterations that a model of this config does not have."""
    if not 1 <= iterations <= config.max_iterations:
        raise ValueError(f"iterations: expected 1 to {config.max_iterations}, got {iterations}")
