"""A model at work: views to `Codes`, codes to grids and images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, overload

import torch
from torch import Tensor

from jc3d.codec import Codes
from jc3d.codec.wire import OVERHEAD_BYTES
from jc3d.errors import CodesError, renamed_arguments
from jc3d.infer.batch import BatchReconstructor
from jc3d.infer.image_stream import ImageStream
from jc3d.infer.inputs import CODES_TYPES, CodesLike, load_objects, read_codes, read_objects, whole_number
from jc3d.infer.shape_stream import Stream
from jc3d.io.images import ViewLike
from jc3d.models import Model, Reconstruction
from jc3d.models.capabilities import DecodesImages, DecodesProgressively, ReconstructsShape, verb_of
from jc3d.models.model import VIEW_SIZE

C = TypeVar("C")


class Codec:
    """A model at work, on one device: both directions.

    Every model encodes; what else one does its capabilities say (`jc3d.models.capabilities`).

    Args:
        model: is frozen (eval mode, no gradients): its fingerprint goes into the codes it makes.
        codes_at_once: codes that enter a reconstruction together, where there are more of them: bounds the memory.

    Raises:
        ValueError: ``codes_at_once`` is not positive.
    """

    def __init__(self, model: Model, codes_at_once: int = 128) -> None:
        if codes_at_once < 1:
            raise ValueError(f"codes_at_once: expected at least 1, got {codes_at_once}")
        self.model = model.freeze()
        self._batch: BatchReconstructor | None = None
        if self.reconstructs:
            self._batch = BatchReconstructor(self.reconstruction, codes_at_once)

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
        """Whether it gives grids."""
        return isinstance(self.model, ReconstructsShape)

    @property
    def decodes(self) -> bool:
        """Whether it gives images."""
        return isinstance(self.model, DecodesImages)

    @property
    def reconstruction(self) -> Reconstruction:
        """The part of the model that reconstructs.

        Raises:
            CodesError: it has none.
        """
        return self.require(ReconstructsShape).reconstruction

    def require(self, capability: type[C]) -> C:
        """The model as one that has a capability.

        Args:
            capability: a protocol of :mod:`jc3d.models.capabilities`, or one that is declared like those.

        Raises:
            CodesError: it has not.
        """
        if not isinstance(self.model, capability):
            verb = verb_of(capability)
            raise CodesError(f"codes: expected those of a model that {verb}, got those of {self.name}")
        return self.model

    @overload  # a path is also a sequence of paths to a type checker: the first overload is meant to win
    def encode(  # type: ignore[overload-overlap]
        self,
        images: ViewLike | Sequence[ViewLike],
        iterations: int | None = None,
        num_bytes: int | None = None,
        refinement_steps: int = 0,
    ) -> Codes: ...

    @overload
    def encode(
        self,
        images: Sequence[Sequence[ViewLike]],
        iterations: int | None = None,
        num_bytes: int | None = None,
        refinement_steps: int = 0,
    ) -> list[Codes]: ...

    @renamed_arguments(refinement_steps="search_steps")
    def encode(
        self,
        images: ViewLike | Sequence[ViewLike] | Sequence[Sequence[ViewLike]],
        iterations: int | None = None,
        num_bytes: int | None = None,
        refinement_steps: int = 0,
    ) -> Codes | list[Codes]:
        """Encodes the views of one object, or of several.

        Encoding is batch-invariant: a view's code depends on nothing but the view.

        Args:
            images: one view, the views of one object, or a list of those lists. `jc3d.io.images.load_views` says
                what a view is (a path, a PIL image, an array, a tensor) and how sizes, ranges and transparency are
                treated; arrays and tensors of one or two dimensions more hold several views or objects. Image codecs
                keep an image's size, at least 16 a side and one for all views of an object; other models resize.
            iterations: of each view's code, for models that have several; None: as many as there are.
            num_bytes: most bytes of an object's whole file: as many iterations as that allows.
            refinement_steps: gradient steps by which the sender improves the code of every iteration, for models whose
                codes serve images alone; 40 find most of what there is (:mod:`jc3d.models.image.code_refinement`).

        Returns:
            The codes; for a list of lists a list, one `Codes` an object.

        Raises:
            ImageError: no view, one that cannot be read or is too small, or views of several sizes.
            CodesError: ``iterations`` or ``refinement_steps`` out of range, or ``num_bytes`` below one iteration.
        """
        iterations, num_bytes = whole_number("iterations", iterations), whole_number("num_bytes", num_bytes)
        try:
            self.model.check_refinement(refinement_steps)
        except ValueError as error:
            raise CodesError(str(error)) from None
        objects, several = load_objects(images, self.model.config)
        codes = self._encode(objects, iterations, num_bytes, refinement_steps)
        return codes if several else codes[0]

    def _encode(
        self, objects: list[Tensor], iterations: int | None, num_bytes: int | None, refinement_steps: int
    ) -> list[Codes]:
        config = self.model.config
        counts = [self._iterations(views, iterations, num_bytes) for views in objects]
        if config.image_size is not None and len(set(counts)) == 1:  # one batch
            numbers = [len(views) for views in objects]
            together = self.model.compress(torch.cat(objects).to(self.device), counts[0], refinement_steps)
            packed = together.cpu().split(numbers)
        else:
            packed = tuple(
                self.model.compress(views.to(self.device), count, refinement_steps).cpu()
                for views, count in zip(objects, counts, strict=True)
            )
        codes = []
        for views, each in zip(objects, packed, strict=True):
            size = (views.shape[2], views.shape[3])
            code = config.code_format(size)
            bits = each.transpose(0, 1).numpy()
            codes.append(Codes(bits, code.code_bits, size, self.model.fingerprint, code.binary))
        return codes

    def _iterations(self, views: Tensor, iterations: int | None, num_bytes: int | None) -> int:
        """How many iterations the arguments of `encode` ask for."""
        most = self.model.config.max_iterations
        if iterations is not None and not 1 <= iterations <= most:
            raise CodesError(f"iterations: expected 1 to {most} with {self.name}, got {iterations}")
        count = most if iterations is None else iterations
        if num_bytes is None:
            return count
        number, _, height, width = views.shape
        each = number * -(-self.model.config.code_format((height, width)).code_bits // 8)
        affordable = (num_bytes - OVERHEAD_BYTES) // each
        if affordable < 1:
            raise CodesError(
                f"num_bytes: expected at least {OVERHEAD_BYTES + each} (one iteration of {number} views of "
                f"{height}x{width} pixels and {OVERHEAD_BYTES} bytes), got {num_bytes}"
            )
        return min(count, affordable)

    @overload
    def reconstruct(self, codes: CodesLike) -> Tensor: ...

    @overload
    def reconstruct(self, codes: Sequence[CodesLike]) -> Tensor: ...

    def reconstruct(self, codes: CodesLike | Sequence[CodesLike]) -> Tensor:
        """Reconstructs one object, or several at once, in bounded memory and from any thread.

        Args:
            codes: of one object, or a sequence of such; their numbers of views may differ.

        Returns:
            float32 probabilities of occupancy, (32, 32, 32) with axes x, y, z, or (B, 32, 32, 32) for a sequence, on
            the model's device. Where a grid is needed, occupied means > 0.4.

        Raises:
            CodesError: damaged, codes of another model, or of an image codec.
            OSError: a path cannot be read.
        """
        if isinstance(codes, CODES_TYPES):
            return self.reconstruct([codes])[0]
        self.require(ReconstructsShape)
        assert self._batch is not None
        return self._batch(self.shape_inputs(item) for item in read_objects(codes))

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
        codes, model = read_codes(codes), self.require(DecodesImages)
        self._check(codes)
        return model.decompress(self.packed(codes), codes.image_size)

    def image_stream(self, image_size: tuple[int, int] | None = None) -> ImageStream:
        """Starts the views of one object, whose iterations arrive one after another.

        Args:
            image_size: (height, width) of the views; None: that of the views of objects.

        Raises:
            CodesError: the model has no image decoder, or does not code images of this size.
        """
        size = (VIEW_SIZE, VIEW_SIZE) if image_size is None else image_size
        if not isinstance(size, tuple) or len(size) != 2:
            raise CodesError(f"image_size: expected (height, width), got {size!r}")
        decoder = self.require(DecodesProgressively)
        self._check_size(size)
        return ImageStream(decoder.open_decoder(size), self.model, size)

    def stream(self) -> Stream:
        """Starts an object whose views arrive one after another."""
        return Stream(self)

    def shape_inputs(self, codes: Codes) -> Tensor:
        """What the recurrence reads, on the model's device, after checking that the codes are this model's.

        Returns:
            (rows, K), or packed bits: a row a view, or several.

        Raises:
            CodesError: codes of another model, or of an image codec.
        """
        model = self.require(ReconstructsShape)
        self._check(codes)
        with torch.inference_mode():
            return model.shape_inputs(self.packed(codes))

    def packed(self, codes: Codes) -> Tensor:
        """Codes as capabilities take them, (views, iterations, bytes) uint8 on the model's device."""
        return torch.from_numpy(codes.bits.copy()).transpose(0, 1).to(self.device)

    def _check(self, codes: Codes) -> None:
        config, model = self.model.config, self.model
        if codes.fingerprint != model.fingerprint:
            raise CodesError(
                f"codes: expected those of {config.name} (fingerprint {model.fingerprint.hex()}), "
                f"got fingerprint {codes.fingerprint.hex()}"
            )
        if self.decodes:
            self._check_size(codes.image_size)
        got = (codes.code_bits, codes.binary)
        expected = tuple(config.code_format(codes.image_size))
        if got != expected:
            raise CodesError(f"codes: expected (code_bits, binary) = {expected}, got {got}")
        if codes.iterations > config.max_iterations:
            raise CodesError(f"iterations: expected 1 to {config.max_iterations}, got {codes.iterations}")

    def _check_size(self, size: tuple[int, int]) -> None:
        try:
            self.model.config.check_size(size)
        except ValueError as error:
            raise CodesError(str(error)) from None
