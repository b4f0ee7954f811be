"""One object whose views arrive one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from jc3d.errors import CodesError
from jc3d.infer.inputs import CodesLike, read_codes
from jc3d.models import ReceiverState

if TYPE_CHECKING:
    from jc3d.infer.codec import Codec


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
        from jc3d.infer.packaged import codec_of  # it makes codecs, which open streams

        codes = read_codes(codes)
        codec = self._codec or codec_of(codes, self._device)
        rows, reconstruction = codec.shape_inputs(codes), codec.reconstruction
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
