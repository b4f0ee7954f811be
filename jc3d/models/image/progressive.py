"""Images that get better while the iterations of their codes arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from jc3d.models.image.tiling import tiles

if TYPE_CHECKING:
    from jc3d.models.image.convlstm import DecoderState, RnnCompressor


class ProgressiveDecoder:
    """The decoder's state of several views, see :class:`jc3d.models.capabilities.ImageDecoder`.

    The images are the very ones that decoding all iterations at once gives. The state takes 65 bytes a pixel of every
    view with ``rnn-small``.

    Args:
        model: frozen.
        image_size: (height, width) of the views.

    Raises:
        ValueError: images of a size that is not coded.
    """

    def __init__(self, model: RnnCompressor, image_size: tuple[int, int]) -> None:
        model.config.check_size(image_size)
        self._model = model
        self._image_size = image_size
        self._tiles = tiles(model.config.code_map(image_size), model.config.block)
        self._states: list[list[DecoderState | None]] = []  # of each view, of each of its tiles

    def add(self, packed: Tensor) -> None:
        """Decodes the next iteration, (V, bytes) uint8."""
        if not self._states:
            self._states = [[None] * len(self._tiles) for _ in packed]
        # States are replaced one by one: two sets of them need not be held.
        for view, states in zip(packed, self._states, strict=True):
            codes = self._model.code_maps(view, self._image_size)
            for index, tile in enumerate(self._tiles):
                states[index] = self._model.decode_tile(tile.of_map(codes), states[index])

    def images(self) -> Tensor:
        """The views as they are now, (V, 3, height, width) float32 in [0, 1]."""
        images = torch.empty(len(self._states), 3, *self._image_size, device=self._model.device)
        for image, states in zip(images, self._states, strict=True):
            for tile, state in zip(self._tiles, states, strict=True):
                assert state is not None
                tile.place(image, self._model.pixels(state))
        return images
