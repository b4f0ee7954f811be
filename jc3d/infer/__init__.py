"""Both ends of the link: views to `Codes` at the camera, codes to an occupancy grid at the receiver.

    codec = jc3d.load("implicit-384")
    codes = codec.encode(["v0.png", "v1.png"])      # at the camera
    grid = jc3d.infer.reconstruct(codes.to_bytes()) # anywhere else

Models are chosen by name at the camera and by the codes' fingerprint at the receiver.
"""

from __future__ import annotations

import functools
import operator
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
from jc3d.codec.wire import OVERHEAD_BYTES
from jc3d.errors import CodesError, ImageError
from jc3d.infer.batch import Receiver
from jc3d.infer.image_stream import ImageStream
from jc3d.io.images import ViewLike, load_views
from jc3d.models import R2N2, AnyModel, Direct, Implicit, Joint, ReceiverState, Reconstruction, RnnCompressor, RnnConfig

CodesLike: TypeAlias = Codes | bytes | bytearray | memoryview | str | os.PathLike[str]
"""The codes of one object: as they are, as the bytes of a ``.jc3d`` file, or as its path."""

_CODES_TYPES = (Codes, bytes, bytearray, memoryview, str, os.PathLike)  # of CodesLike, for isinstance


class Codec:
    """A model at work, on one device: both directions.

    Every model encodes; all but image codecs reconstruct (`R2N2`, `Implicit`, `Sequential`, `Direct`); those with an
    image decoder decode (`RnnCompressor`, `Sequential`, `Direct`).

    Args:
        model: is frozen (eval mode, no gradients): its fingerprint goes into the codes it makes.
    """

    def __init__(self, model: AnyModel) -> None:
        self.model = model.freeze()
        self._reconstruction: Reconstruction | None = None
        self._compressor: RnnCompressor | None = None
        if isinstance(model, R2N2):
            self._reconstruction = model
        elif isinstance(model, Joint):
            self._reconstruction, self._compressor = model.reconstruction, model.compressor
        else:
            self._compressor = model
        self._receiver = None if self._reconstruction is None else Receiver(self._reconstruction)

    @property
    def name(self) -> str:
        """The model's preset."""
        return self.model.config.name

    @property
    def device(self) -> torch.device:
        """Where the model is, and the grids it gives."""
        return self.model.device

    @property
    def reconstructs(self) -> bool:
        """Whether it gives grids: all but image codecs."""
        return self._reconstruction is not None

    @property
    def decodes(self) -> bool:
        """Whether it gives images."""
        return self._compressor is not None

    @property
    def reconstruction(self) -> Reconstruction:
        """The part of the model that reconstructs.

        Raises:
            CodesError: it is an image codec.
        """
        if self._reconstruction is None:
            raise CodesError(f"codes: expected those of a model that reconstructs, got an image codec's, {self.name}")
        return self._reconstruction

    @property
    def compressor(self) -> RnnCompressor:
        """The part of the model that decodes images.

        Raises:
            CodesError: it has none.
        """
        if self._compressor is None:
            raise CodesError(f"codes: expected those of a model that decodes images, got those of {self.name}")
        return self._compressor

    @overload  # a path is also a sequence of paths to a type checker: the first overload is meant to win
    def encode(  # type: ignore[overload-overlap]
        self,
        images: ViewLike | Sequence[ViewLike],
        iterations: int | None = None,
        num_bytes: int | None = None,
        search_steps: int = 0,
    ) -> Codes: ...

    @overload
    def encode(
        self,
        images: Sequence[Sequence[ViewLike]],
        iterations: int | None = None,
        num_bytes: int | None = None,
        search_steps: int = 0,
    ) -> list[Codes]: ...

    def encode(
        self,
        images: ViewLike | Sequence[ViewLike] | Sequence[Sequence[ViewLike]],
        iterations: int | None = None,
        num_bytes: int | None = None,
        search_steps: int = 0,
    ) -> Codes | list[Codes]:
        """Encodes the views of one object, or of several.

        A view's code depends on nothing but the view: not on the other views, their number, or the number of threads.

        Args:
            images: one view, the views of one object, or a list of those lists. `jc3d.io.images.load_views` says
                what a view is (a path, a PIL image, an array, a tensor) and how sizes, ranges and transparency are
                treated; arrays and tensors of one or two dimensions more hold several views or objects. Image codecs
                keep an image's size, at least 16 a side and one for all views of an object; other models resize.
            iterations: of each view's code, for models that have several; None: as many as there are.
            num_bytes: most bytes of an object's whole file: as many iterations as that allows.
            search_steps: gradient steps with which the sender looks for better bits of every iteration, for models
                whose bits serve images alone; 40 find most of what there is (:mod:`jc3d.models.image.code_refinement`).

        Returns:
            The codes; for a list of lists a list, one `Codes` an object.

        Raises:
            ImageError: no view, one that cannot be read or is too small, or views of several sizes.
            CodesError: ``iterations`` or ``search_steps`` out of range, or ``num_bytes`` below one iteration.
        """
        iterations, num_bytes = _whole("iterations", iterations), _whole("num_bytes", num_bytes)
        self._check_search(search_steps)
        if _is_view(images):
            return self._encode([self._load(images)], iterations, num_bytes, search_steps)[0]
        if not isinstance(images, Iterable):
            raise ImageError(f"images: expected views or lists of views, got {type(images).__name__}")
        items = list(images)
        if all(_is_view(item) for item in items):
            return self._encode([self._load(items)], iterations, num_bytes, search_steps)[0]
        objects = []
        for index, item in enumerate(items):
            if _is_view(item) or not isinstance(item, Iterable):
                raise ImageError(f"images[{index}]: expected a list of views as the others, got {type(item).__name__}")
            try:
                objects.append(self._load(item))
            except ImageError as error:
                raise ImageError(f"images[{index}]: {error}") from error
        return self._encode(objects, iterations, num_bytes, search_steps)

    def _load(self, images: ViewLike | Iterable[ViewLike]) -> Tensor:
        """(V, 3, H, W), resized unless the model takes any size."""
        if not isinstance(self.model, RnnCompressor):
            return load_views(images, self.model.config.image_size)
        views = load_views(images, None)
        try:
            self.model.config.check_size((views.shape[2], views.shape[3]))
        except ValueError as error:
            first = images[0] if isinstance(images, list) else images
            name = os.fspath(first) if isinstance(first, (str, os.PathLike)) else "view 0"
            raise ImageError(f"{name}: {error}") from None
        return views

    def _check_search(self, steps: int) -> None:
        allowed = self._compressor is not None and not isinstance(self.model, Direct)
        if not isinstance(steps, int) or steps < 0 or (steps and not allowed):
            what = "0 or more" if allowed else f"0 with {self.name}, whose bits are not an image's alone"
            raise CodesError(f"search_steps: expected {what}, got {steps}")

    def _encode(
        self, objects: list[Tensor], iterations: int | None, num_bytes: int | None, search_steps: int
    ) -> list[Codes]:
        size, fingerprint = (objects[0].shape[2], objects[0].shape[3]), self.model.fingerprint
        counts = [len(views) for views in objects]
        wanted = [self._iterations(count, views.shape[2:], iterations, num_bytes)
                  for count, views in zip(counts, objects, strict=True)]  # fmt: skip
        if self._compressor is not None:
            return [
                self._encode_images(views, count, search_steps) for views, count in zip(objects, wanted, strict=True)
            ]
        assert isinstance(self.model, R2N2)
        views = torch.cat(objects).to(self.device)
        if isinstance(self.model, Implicit):
            packed, bits = self.model.encode_packed(views).cpu(), self.model.config.code_bits
            return [Codes(part[None].numpy(), bits, size, fingerprint) for part in packed.split(counts)]
        codes = self.model.encode(views)
        return [
            Codes.from_tensor(part, fingerprint=fingerprint, image_size=size, binary=False)
            for part in codes.split(counts)
        ]

    def _encode_images(self, views: Tensor, iterations: int, search_steps: int) -> Codes:
        size = (views.shape[2], views.shape[3])
        bits = (
            self.compressor.encode_packed(views.to(self.device), iterations, search_steps).transpose(0, 1).cpu().numpy()
        )
        return Codes(bits, self.compressor.config.code_bits_of(size), size, self.model.fingerprint)

    def _iterations(self, views: int, size: Sequence[int], iterations: int | None, num_bytes: int | None) -> int:
        """How many iterations the arguments of `encode` ask for."""
        most = self.model.config.max_iterations
        if iterations is not None and not 1 <= iterations <= most:
            raise CodesError(f"iterations: expected 1 to {most} with {self.name}, got {iterations}")
        count = most if iterations is None else iterations
        if num_bytes is None:
            return count
        height, width = size
        each = views * -(-self._code_bits((height, width)) // 8)
        affordable = (num_bytes - OVERHEAD_BYTES) // each
        if affordable < 1:
            raise CodesError(
                f"num_bytes: expected at least {OVERHEAD_BYTES + each} (one iteration of {views} views of "
                f"{height}x{width} pixels and {OVERHEAD_BYTES} bytes), got {num_bytes}"
            )
        return min(count, affordable)

    def _code_bits(self, size: tuple[int, int]) -> int:
        """Bits of a view of (height, width) and iteration."""
        return self.model.config.code_bits if self._compressor is None else self._compressor.config.code_bits_of(size)

    def reconstruct(self, codes: CodesLike | Sequence[CodesLike]) -> Tensor:
        """Reconstructs one object, or several at once.

        Args:
            codes: of one object, or a sequence of such; their numbers of views may differ.

        Returns:
            float32 probabilities of occupancy, (32, 32, 32) with axes x, y, z, or (B, 32, 32, 32) for a sequence, on
            the model's device. Where a grid is needed, occupied means > 0.4.

        Raises:
            CodesError: damaged, codes of another model, or of an image codec.
            OSError: a path cannot be read.
        """
        if isinstance(codes, _CODES_TYPES):
            return self.reconstruct([codes])[0]
        self.reconstruction  # noqa: B018  an image codec is refused
        assert self._receiver is not None
        return _reconstruct(self, self._receiver, codes)

    def decode(self, codes: CodesLike) -> Tensor:
        """The views that codes hold, as images.

        Args:
            codes: of one object; of fewer iterations than the model has, coarser images.

        Returns:
            (V, 3, height, width) float32 in [0, 1], on the model's device.

        Raises:
            CodesError: damaged, codes of another model, or of one without an image decoder.
            OSError: a path cannot be read.
        """
        codes, compressor = _read(codes), self.compressor
        self._check(codes)
        return compressor.decode(self._packed(codes), codes.image_size)

    def image_stream(self, image_size: tuple[int, int] | None = None) -> ImageStream:
        """Starts the views of one object, whose iterations arrive one after another.

        Args:
            image_size: (height, width) of the views; None: that of the views of objects.

        Raises:
            CodesError: the model has no image decoder, or one for another size.
            ValueError: images smaller or larger than any that is coded.
        """
        side = self.model.config.image_size
        size = (side, side) if image_size is None else image_size
        if not isinstance(size, tuple) or len(size) != 2:
            raise CodesError(f"image_size: expected (height, width), got {size!r}")
        if isinstance(self.model, Joint) and size != (side, side):
            raise CodesError(f"image_size: expected {(side, side)}, got {size}")
        return ImageStream(self.compressor, self.model.fingerprint, size)

    def stream(self) -> Stream:
        """Starts an object whose views arrive one after another."""
        return Stream(self)

    def codes_tensor(self, codes: Codes) -> Tensor:
        """What the recurrence reads, on the model's device, after checking that the codes are this model's.

        Returns:
            (views, K), or packed bits; with "recurrent" fusion a row for each iteration of each view.

        Raises:
            CodesError: codes of another model, or of an image codec.
        """
        self.reconstruction  # noqa: B018  an image codec is refused
        self._check(codes)
        if isinstance(self.model, Joint):
            with torch.inference_mode():
                return self.model.view_codes(self._packed(codes))
        if codes.binary:
            return torch.from_numpy(codes.bits[0].copy()).to(self.device)
        return codes.to_tensor().to(self.device)

    def _packed(self, codes: Codes) -> Tensor:
        """(views, iterations, bytes)."""
        return torch.from_numpy(codes.bits.copy()).transpose(0, 1).to(self.device)

    def _check(self, codes: Codes) -> None:
        config, model = self.model.config, self.model
        if codes.fingerprint != model.fingerprint:
            raise CodesError(
                f"codes: expected those of {config.name} (fingerprint {model.fingerprint.hex()}), "
                f"got fingerprint {codes.fingerprint.hex()}"
            )
        if isinstance(config, RnnConfig):
            try:
                config.check_size(codes.image_size)
            except ValueError as error:
                raise CodesError(f"image_size: {error}") from None
        elif isinstance(model, Joint) and codes.image_size != (config.image_size,) * 2:
            raise CodesError(f"image_size: expected {(config.image_size,) * 2}, got {codes.image_size}")
        got = (codes.code_bits, codes.binary)
        expected = (self._code_bits(codes.image_size), config.binary)
        if got != expected:
            raise CodesError(f"codes: expected (code_bits, binary) = {expected}, got {got}")
        if codes.iterations > config.max_iterations:
            raise CodesError(f"iterations: expected 1 to {config.max_iterations}, got {codes.iterations}")


class Reconstructor:
    """The receiving end for many objects with different numbers of views, from any thread, in bounded memory.

    On a CPU the codes of a group of objects enter in one pass over the weights and the objects are decoded a few at a
    time; on a GPU a group runs in CUDA graphs. See :class:`jc3d.infer.batch.Receiver`.

    Args:
        codec: the model.
        codes_at_once: codes of a group.

    Raises:
        ValueError: ``codes_at_once`` is not positive.
    """

    def __init__(self, codec: Codec, codes_at_once: int = 128) -> None:
        self._codec = codec
        self._receiver = Receiver(codec.reconstruction, codes_at_once)

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
        rows, reconstruction = codec.codes_tensor(codes), codec.reconstruction
        self._codec, self._state = codec, reconstruction.receive([rows], self._state)
        self._num_views += codes.num_views

    def occupancy(self) -> Tensor:
        """The grid of the views added so far: (32, 32, 32) float32 probabilities, axes x, y, z.

        Raises:
            CodesError: no view was added.
        """
        if self._codec is None or self._state is None:
            raise CodesError("stream: expected at least one view, got none")
        return self._codec.reconstruction.occupancy(self._state)[0].clone()


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
    iterations: int | None = None,
    num_bytes: int | None = None,
    search_steps: int = 0,
) -> Codes:
    """Encodes the views of one object with a packaged model; see `Codec.encode`.

    Args:
        images: one view or several.
        model: as in `load`; a packaged model is loaded once and kept.
        device: as in `load`.
        iterations: as in `Codec.encode`.
        num_bytes: as in `Codec.encode`.
        search_steps: as in `Codec.encode`.

    Raises:
        ImageError: no view, or one that cannot be read.
        CodesError: ``iterations``, ``num_bytes`` or ``search_steps`` out of range.
        WeightsError: no such model.
    """
    return _codec(model, device).encode(images, iterations, num_bytes, search_steps)


def decode(
    codes: CodesLike, device: str | torch.device = "cpu", weights: str | os.PathLike[str] | None = None
) -> Tensor:
    """The views of an object as images, from nothing but their codes; see `Codec.decode`.

    Args:
        codes: of one object: `Codes`, the path or the bytes of a ``.jc3d`` file.
        device: as in `load`.
        weights: as in `reconstruct`.

    Returns:
        (V, 3, height, width) float32 in [0, 1].

    Raises:
        CodesError: damaged, of a model that is not packaged or has no image decoder, or (with ``weights``) of another.
        WeightsError: ``weights`` cannot be read.
        OSError: a path cannot be read.
    """
    codes = _read(codes)
    codec = _codec_of(codes, device) if weights is None else load(weights, device)
    return codec.decode(codes)


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


def _whole(name: str, value: int | None) -> int | None:
    try:
        return None if value is None else int(operator.index(value))
    except TypeError:
        raise CodesError(f"{name}: expected a whole number, got {value!r}") from None


def _is_view(item: object) -> TypeGuard[ViewLike]:
    if isinstance(item, np.ndarray | Tensor):
        return item.ndim <= 3
    return isinstance(item, str | os.PathLike | Image)
