"""Images that get better while their codes arrive."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from jc3d.codec import Codes
from jc3d.errors import CodesError
from jc3d.models import Model
from jc3d.models.capabilities import ImageDecoder


class ImageStream:
    """The views of one object, decoded iteration by iteration.

    The decoder's state is kept, so an iteration costs the same whatever came before it. The images are the very ones
    that decoding all iterations at once gives.

    Args:
        decoder: that has seen nothing yet.
        model: whose codes these are.
        image_size: (height, width) of the views.
    """

    def __init__(self, decoder: ImageDecoder, model: Model, image_size: tuple[int, int]) -> None:
        self._decoder = decoder
        self._model = model
        self._image_size = image_size
        self._decoded: Codes | None = None  # the iterations so far

    @property
    def iterations(self) -> int:
        """Iterations decoded so far."""
        return self._decoded.iterations if self._decoded else 0

    def add(self, index: int, bits: npt.NDArray[np.uint8]) -> None:
        """Decodes the next iteration.

        Args:
            index: which iteration it is, counted from 0.
            bits: (views, ceil(m / 8)) uint8, as of :attr:`jc3d.Codes.bits`.

        Raises:
            CodesError: not the next iteration, more than the model has, or of other views. The stream stays as it was.
        """
        most, due = self._model.config.max_iterations, self.iterations
        if not 0 <= index < most:
            raise CodesError(f"iteration: expected 0 to {most - 1}, got {index}")
        if index != due:
            missing = ", ".join(map(str, range(due, index)))
            why = f"{missing} missing" if missing else "decoded before"
            raise CodesError(f"iteration: expected {due}, got {index}: {why}")
        code = self._model.config.code_format(self._image_size)
        try:
            codes = Codes(
                np.asarray(bits)[None], code.code_bits, self._image_size, self._model.fingerprint, code.binary
            )
        except CodesError as error:
            raise CodesError(f"iteration {index}: {error}") from None
        if self._decoded is not None and codes.num_views != self._decoded.num_views:
            raise CodesError(f"iteration {index}: expected {self._decoded.num_views} views, got {codes.num_views}")
        # From here on nothing is refused.
        self._decoder.add(torch.from_numpy(codes.bits[0].copy()).to(self._model.device))
        if self._decoded is not None:
            codes = replace(codes, bits=np.concatenate([self._decoded.bits, codes.bits]))
        self._decoded = codes

    def add_codes(self, codes: Codes) -> None:
        """Decodes what codes hold beyond what was decoded: a longer prefix of the same file.

        Raises:
            CodesError: they begin with other iterations than those decoded, or do not fit; what was decoded stays.
        """
        if codes.fingerprint != self._model.fingerprint:
            expected, got = self._model.fingerprint.hex(), codes.fingerprint.hex()
            raise CodesError(f"codes: expected those of fingerprint {expected}, got {got}")
        if codes.image_size != self._image_size:
            raise CodesError(f"image_size: expected {self._image_size}, got {codes.image_size}")
        if self._decoded is not None:
            for index, (mine, theirs) in enumerate(zip(self._decoded.bits, codes.bits, strict=False)):
                if not np.array_equal(mine, theirs):
                    raise CodesError(f"codes: expected iteration {index} as it was decoded, got other bits")
        for index in range(self.iterations, codes.iterations):
            self.add(index, codes.bits[index])

    def images(self) -> Tensor:
        """The views as they are now: (V, 3, height, width) float32 in [0, 1], on the model's device.

        Raises:
            CodesError: no iteration was added.
        """
        if self._decoded is None:
            raise CodesError("stream: expected at least one iteration, got none")
        return self._decoder.images()
