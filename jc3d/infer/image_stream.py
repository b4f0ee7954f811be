"""Images that get better while their codes arrive."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from jc3d.codec import Codes
from jc3d.errors import CodesError
from jc3d.models.image.convlstm import DecoderState, RnnCompressor, tiles


class ImageStream:
    """The views of one object, decoded iteration by iteration.

    The decoder's state is kept, so an iteration costs the same whatever came before it; it takes 65 bytes a pixel of
    every view with ``rnn-small``. The images are the very ones that decoding all iterations at once gives.

    Args:
        compressor: frozen, see :meth:`jc3d.models.Model.freeze`.
        fingerprint: of the model whose codes these are.
        image_size: (height, width) of the views.

    Raises:
        ValueError: images smaller or larger than any that is coded.
    """

    def __init__(self, compressor: RnnCompressor, fingerprint: bytes, image_size: tuple[int, int]) -> None:
        compressor.config.check_size(image_size)
        self._compressor = compressor
        self._fingerprint = fingerprint
        self._image_size = image_size
        self._tiles = list(tiles(*compressor.config.code_map(image_size)))
        self._states: list[list[DecoderState | None]] = []  # of each view, of each of its tiles
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
        most, due = self._compressor.config.max_iterations, self.iterations
        if not 0 <= index < most:
            raise CodesError(f"iteration: expected 0 to {most - 1}, got {index}")
        if index != due:
            missing = ", ".join(map(str, range(due, index)))
            why = f"{missing} missing" if missing else "decoded before"
            raise CodesError(f"iteration: expected {due}, got {index}: {why}")
        code_bits = self._compressor.config.code_bits_of(self._image_size)
        try:
            codes = Codes(np.asarray(bits)[None], code_bits, self._image_size, self._fingerprint)
        except CodesError as error:
            raise CodesError(f"iteration {index}: {error}") from None
        if self._decoded is None:
            self._states = [[None] * len(self._tiles) for _ in range(codes.num_views)]
        elif codes.num_views != self._decoded.num_views:
            raise CodesError(f"iteration {index}: expected {self._decoded.num_views} views, got {codes.num_views}")
        # From here on nothing is refused, and states are replaced one by one: two sets of them need not be held.
        packed = torch.from_numpy(codes.bits[0].copy()).to(self._compressor.device)
        for view, states in zip(packed, self._states, strict=True):
            code = self._compressor.code_maps(view, self._image_size)
            for number, (rows, columns) in enumerate(self._tiles):
                states[number] = self._compressor.decode_tile(code[:, :, rows, columns], states[number])
        if self._decoded is not None:
            codes = replace(codes, bits=np.concatenate([self._decoded.bits, codes.bits]))
        self._decoded = codes

    def add_codes(self, codes: Codes) -> None:
        """Decodes what codes hold beyond what was decoded: a longer prefix of the same file.

        Raises:
            CodesError: they begin with other iterations than those decoded, or do not fit; what was decoded stays.
        """
        if codes.fingerprint != self._fingerprint:
            expected, got = self._fingerprint.hex(), codes.fingerprint.hex()
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
        images = torch.empty(len(self._states), 3, *self._image_size, device=self._compressor.device)
        for image, states in zip(images, self._states, strict=True):
            for (rows, columns), state in zip(self._tiles, states, strict=True):
                assert state is not None
                self._compressor.place(image, state, rows, columns)
        return images
