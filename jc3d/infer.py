"""Both ends of the link: views to `Codes` at the camera, codes to an occupancy grid at the receiver.

    codec = jc3d.load("implicit-384")
    codes = codec.encode(["v0.png", "v1.png"])      # at the camera
    grid = jc3d.infer.reconstruct(codes.to_bytes()) # anywhere else

Models are chosen by name at the camera and by the codes' fingerprint at the receiver.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeGuard, overload

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor

from jc3d import models
from jc3d.codec import Codes
from jc3d.data.images import ViewLike, load_views
from jc3d.errors import CodesError, ImageError
from jc3d.models import R2N2, Implicit, ReceiverState
from jc3d.receiver import Receiver

CodesLike: TypeAlias = Codes | bytes | bytearray | memoryview | str | os.PathLike[str]
"""The codes of one object: as they are, as the bytes of a ``.jc3d`` file, or as its path."""

_CODES_TYPES = (Codes, bytes, bytearray, memoryview, str, os.PathLike)  # of CodesLike, for isinstance


class Codec:
    """A model at work, on one device: both directions.

    Args:
        model: is frozen (eval mode, no gradients): its fingerprint goes into the codes it makes.
    """

    def __init__(self, model: R2N2) -> None:
        self.model = model.freeze()
        self._receiver = Receiver(self.model)

    @property
    def name(self) -> str:
        """The model's preset."""
        return self.model.config.name

    @property
    def device(self) -> torch.device:
        """Where the model is, and the grids it gives."""
        return self.model.device

    @overload  # a path is also a sequence of paths to a type checker: the first overload is meant to win
    def encode(self, images: ViewLike | Sequence[ViewLike]) -> Codes: ...  # type: ignore[overload-overlap]

    @overload
    def encode(self, images: Sequence[Sequence[ViewLike]]) -> list[Codes]: ...

    def encode(self, images: ViewLike | Sequence[ViewLike] | Sequence[Sequence[ViewLike]]) -> Codes | list[Codes]:
        """Encodes the views of one object, or of several.

        A view's code depends on nothing but the view: not on the other views, their number, or the number of threads.

        Args:
            images: one view, the views of one object, or a list of those lists. `jc3d.data.images.load_views` says
                what a view is (a path, a PIL image, an array, a tensor) and how sizes, ranges and transparency are
                treated; arrays and tensors of one or two dimensions more hold several views or objects.

        Returns:
            The codes; for a list of lists a list, one `Codes` an object.

        Raises:
            ImageError: no view, or one that cannot be read.
        """
        if _is_view(images):
            return self._encode([load_views(images, self.model.config.image_size)])[0]
        if not isinstance(images, Iterable):
            raise ImageError(f"images: expected views or lists of views, got {type(images).__name__}")
        items = list(images)
        if all(_is_view(item) for item in items):
            return self._encode([load_views(items, self.model.config.image_size)])[0]
        objects = []
        for index, item in enumerate(items):
            if _is_view(item) or not isinstance(item, Iterable):
                raise ImageError(f"images[{index}]: expected a list of views as the others, got {type(item).__name__}")
            try:
                objects.append(load_views(item, self.model.config.image_size))
            except ImageError as error:
                raise ImageError(f"images[{index}]: {error}") from error
        return self._encode(objects)

    def _encode(self, objects: list[Tensor]) -> list[Codes]:
        size, fingerprint = (self.model.config.image_size,) * 2, self.model.fingerprint
        views, counts = torch.cat(objects).to(self.device), [len(views) for views in objects]
        if isinstance(self.model, Implicit):
            packed, bits = self.model.encode_packed(views).cpu(), self.model.config.code_bits
            return [Codes(part[None].numpy(), bits, size, fingerprint) for part in packed.split(counts)]
        codes = self.model.encode(views)
        return [
            Codes.from_tensor(part, fingerprint=fingerprint, image_size=size, binary=False)
            for part in codes.split(counts)
        ]

    def reconstruct(self, codes: CodesLike | Sequence[CodesLike]) -> Tensor:
        """Reconstructs one object, or several at once.

        Args:
            codes: of one object, or a sequence of such; their numbers of views may differ.

        Returns:
            float32 probabilities of occupancy, (32, 32, 32) with axes x, y, z, or (B, 32, 32, 32) for a sequence, on
            the model's device. Where a grid is needed, occupied means > 0.4.

        Raises:
            CodesError: damaged, or codes of another model.
            OSError: a path cannot be read.
        """
        if isinstance(codes, _CODES_TYPES):
            return self.reconstruct([codes])[0]
        return _reconstruct(self, self._receiver, codes)

    def stream(self) -> Stream:
        """Starts an object whose views arrive one after another."""
        return Stream(self)

    def codes_tensor(self, codes: Codes) -> Tensor:
        """On the model's device, after checking that the codes are this model's: (views, K), or packed bits.

        Raises:
            CodesError: codes of another model.
        """
        config, model = self.model.config, self.model
        if codes.fingerprint != model.fingerprint:
            raise CodesError(
                f"codes: expected those of {config.name} (fingerprint {model.fingerprint.hex()}), "
                f"got fingerprint {codes.fingerprint.hex()}"
            )
        got = (codes.code_bits, codes.binary, codes.iterations)
        expected = (config.code_bits, config.binary, 1)
        if got != expected:
            raise CodesError(f"codes: expected (code_bits, binary, iterations) = {expected}, got {got}")
        if config.binary:
            return torch.from_numpy(codes.bits[0].copy()).to(self.device)
        return codes.to_tensor().to(self.device)


class Reconstructor:
    """The receiving end for many objects with different numbers of views, from any thread, in bounded memory.

    On a CPU the codes of a group of objects enter in one pass over the weights and the objects are decoded a few at a
    time; on a GPU a group runs in CUDA graphs. See :class:`jc3d.receiver.Receiver`.

    Args:
        codec: the model.
        codes_at_once: codes of a group.

    Raises:
        ValueError: ``codes_at_once`` is not positive.
    """

    def __init__(self, codec: Codec, codes_at_once: int = 128) -> None:
        self._codec = codec
        self._receiver = Receiver(codec.model, codes_at_once)

    def __call__(self, codes: Sequence[CodesLike]) -> Tensor:
        """Reconstructs objects, (B, 32, 32, 32) probabilities in their order; see `Codec.reconstruct`.

        Raises:
            CodesError: no object, damaged codes, or codes of another model.
            OSError: a path cannot be read.
        """
        return _reconstruct(self._codec, self._receiver, codes)


class Stream:
    """One object whose views arrive one after another; after any of them it gives the grid so far.

    Only the hidden state is kept. The grid is that of all views at once, to float32 rounding (1e-6).

    Args:
        codec: the model; None finds the packaged model that the first codes name.
        device: for a model found that way.
    """

    def __init__(self, codec: Codec | None = None, device: str | torch.device = "cpu") -> None:
        self._codec = codec
        self._device = device
        self._state: ReceiverState | None = None
        self._num_views = 0

    @property
    def num_views(self) -> int:
        """Views added so far."""
        return self._num_views

    def add(self, codes: CodesLike) -> None:
        """Adds the views that ``codes`` holds, in their order.

        Raises:
            CodesError: damaged, codes of another model, or of one that is not packaged. The stream stays as it was.
            OSError: a path cannot be read.
        """
        codes = _read(codes)
        codec = self._codec or _codec_of(codes, self._device)
        rows = codec.codes_tensor(codes)
        self._codec, self._state = codec, codec.model.receive([rows], self._state)
        self._num_views += len(rows)

    def occupancy(self) -> Tensor:
        """The grid of the views added so far: (32, 32, 32) float32 probabilities, axes x, y, z.

        Raises:
            CodesError: no view was added.
        """
        if self._codec is None or self._state is None:
            raise CodesError("stream: expected at least one view, got none")
        return self._codec.model.occupancy(self._state)[0].clone()


def load(name_or_path: str | os.PathLike[str], device: str | torch.device = "cpu") -> Codec:
    """A codec with trained weights.

    Args:
        name_or_path: a packaged model (`jc3d.models.packaged`), or the path of a ``.safetensors`` file.
        device: where it is to work, such as ``"cpu"`` or ``"cuda"``.

    Raises:
        WeightsError: no such model or file, or it is damaged.
        ValueError: the device does not exist here.
    """
    try:
        if torch.empty(0, device=device).device.type == "meta":
            raise RuntimeError("it holds no numbers")
    except (RuntimeError, AssertionError) as error:  # which of them depends on how torch was built
        reason = str(error).splitlines()[0]
        raise ValueError(f"device: expected one that torch can use here, got {str(device)!r} ({reason})") from error
    name = name_or_path if isinstance(name_or_path, str) else Path(name_or_path)
    return Codec(models.load(name, device))


def encode(
    images: ViewLike | Sequence[ViewLike],
    model: str | os.PathLike[str] = "implicit-384",
    device: str | torch.device = "cpu",
) -> Codes:
    """Encodes the views of one object with a packaged model; see `Codec.encode`.

    Args:
        images: one view or several.
        model: as in `load`; a packaged model is loaded once and kept.
        device: as in `load`.

    Raises:
        ImageError: no view, or one that cannot be read.
        WeightsError: no such model.
    """
    return _codec(model, device).encode(images)


def reconstruct(
    codes: CodesLike | Sequence[CodesLike],
    device: str | torch.device = "cpu",
    weights: str | os.PathLike[str] | None = None,
) -> Tensor:
    """Reconstructs one object or several from nothing but their codes, which name their model.

    Args:
        codes: of one object (`Codes`, the path or the bytes of a ``.jc3d`` file), or a sequence of such, whose models
            and numbers of views may differ.
        device: as in `load`.
        weights: the weights file of a model that is not packaged; packaged models are found, loaded once and kept.

    Returns:
        float32 probabilities of occupancy, (32, 32, 32) with axes x, y, z, or (B, 32, 32, 32) for a sequence, on
        ``device``. Where a grid is needed, occupied means > 0.4.

    Raises:
        CodesError: damaged, of a model that is not packaged, or (with ``weights``) of another model.
        WeightsError: ``weights`` cannot be read.
        OSError: a path cannot be read.
    """
    if isinstance(codes, _CODES_TYPES):
        return reconstruct([codes], device, weights)[0]
    batch = [_read(item) for item in codes]
    if weights is not None:
        return load(weights, device).reconstruct(batch)
    if not batch:
        raise CodesError("codes: expected at least one object, got none")
    grids: dict[int, Tensor] = {}
    for fingerprint in {item.fingerprint for item in batch}:
        members = [index for index, item in enumerate(batch) if item.fingerprint == fingerprint]
        codec = _codec_of(batch[members[0]], device)
        grids.update(zip(members, codec.reconstruct([batch[index] for index in members]), strict=True))
    return torch.stack([grids[index] for index in range(len(batch))])


def _reconstruct(codec: Codec, receiver: Receiver, codes: Sequence[CodesLike]) -> Tensor:
    """The grids of several objects' codes, all of which must be the codec's."""
    if isinstance(codes, _CODES_TYPES):
        raise CodesError(f"codes: expected a sequence of objects' codes, got {type(codes).__name__}")
    batch = [_read(item) for item in codes]
    if not batch:
        raise CodesError("codes: expected at least one object, got none")
    return receiver(codec.codes_tensor(item) for item in batch)


def _read(codes: object) -> Codes:
    if isinstance(codes, Codes):
        return codes
    if isinstance(codes, bytes | bytearray | memoryview):
        return Codes.from_bytes(codes)
    if isinstance(codes, str | os.PathLike):
        return Codes.load(codes)
    raise CodesError(f"codes: expected Codes, a path or bytes, got {type(codes).__name__}")


def _codec_of(codes: Codes, device: str | torch.device) -> Codec:
    name = models.find(codes.fingerprint)
    if name is None:
        raise CodesError(
            f"codes: no packaged model has their fingerprint {codes.fingerprint.hex()} "
            f"(packaged: {', '.join(models.packaged()) or 'none'}); give the weights file of their model"
        )
    return _codec(name, device)


def _codec(name_or_path: str | os.PathLike[str], device: str | torch.device) -> Codec:
    if name_or_path in models.packaged():
        return _packaged_codec(str(name_or_path), str(device))
    return load(name_or_path, device)


@functools.cache
def _packaged_codec(name: str, device: str) -> Codec:
    return load(name, device)


def _is_view(item: object) -> TypeGuard[ViewLike]:
    if isinstance(item, np.ndarray | Tensor):
        return item.ndim <= 3
    return isinstance(item, str | os.PathLike | Image)
