"""Recurrent image compression: an image to bits, a few more every iteration ([J] §II-B and appendix; [V] §3).

    x ──(−)──r──> encoder LSTMs ──> binarizer ──> code b_t ──> decoder LSTMs ──> tanh ──(+)──> x̂_t
         └──────────────────────────────── x̂_{t−1} ─────────────────────────────────┘

Every iteration encodes what the decoder still gets wrong, so any first iterations of a view's codes are a code. A
decoder sees codes alone: what an encoder computed in floats on the way decides which bits are sent, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jc3d.models.image.code_refinement import refine_code
from jc3d.models.image.convlstm_config import (
    RNN_ORIGINAL_PAPER,
    RNN_SMALL,
    RNN_SMALL_ADDITIVE,
    RNN_SMALL_PAPER,
    RnnConfig,
)
from jc3d.models.image.progressive import ProgressiveDecoder
from jc3d.models.image.tiling import tiles
from jc3d.models.model import Model, check_iterations
from jc3d.models.registry import register
from jc3d.nn import Binarizer, ConvLSTM2d, MapState
from jc3d.nn.colour import YCBCR_OF_RGB
from jc3d.nn.deterministic import one_thread
from jc3d.ops import pack_bits, unpack_bits

HALF_RANGE = 0.9
"""Images lie in ±0.9 inside, which tanh reaches ([V] §3)."""


_COLOUR_GAIN = 8.0  # makes colour differences about one, what a tanh tells best


class CompressorOutput(NamedTuple):
    """What training and the encoder see of N images over T iterations.

    Attributes:
        codes: (N, T, M, h, w), ±1.
        images: (T, N, 3, H, W), in [0, 1].
    """

    codes: Tensor
    images: Tensor


class DecoderState(NamedTuple):
    """What a decoder keeps between iterations of N images.

    Attributes:
        layers: of each ConvLSTM.
        image: (N, 3, h·16, w·16) in ±0.9, the image so far.
    """

    layers: tuple[MapState, ...]
    image: Tensor


@register("rnn", RnnConfig, presets=[RNN_SMALL, RNN_SMALL_ADDITIVE, RNN_SMALL_PAPER, RNN_ORIGINAL_PAPER])
class RnnCompressor(Model):
    """Recurrent encoder, binarizer and recurrent decoder, [J] eqs. 10 and 11.

    Differs from the equations in one thing: an image is clamped to its range in every iteration, so the residual is
    that of the image as it is shown.
    """

    config: RnnConfig
    task: ClassVar[str] = "image"
    refines: ClassVar[bool] = True

    def __init__(self, config: RnnConfig) -> None:
        super().__init__(config)
        c = config
        self.stem = nn.Conv2d(3, c.stem_channels, c.stem_kernel, c.stem_stride, padding=c.stem_kernel // 2)
        self.encoder = nn.ModuleList()
        channels = c.stem_channels
        for width, kernel, stride, hidden in zip(
            c.encoder_channels, c.encoder_kernels, c.encoder_strides, c.encoder_hidden_kernels, strict=True
        ):
            self.encoder.append(ConvLSTM2d(channels, width, kernel, stride, hidden))
            channels = width
        self.to_code = nn.Sequential()
        if channels != c.code_channels:
            self.to_code = nn.Sequential(nn.Conv2d(channels, c.code_channels, kernel_size=1), nn.Tanh())
        if c.skip_connections:
            self.block_to_code = nn.Conv2d(3, c.code_channels, c.block, c.block, bias=False)
            self._show_colours()
        self.binarizer = Binarizer()
        self.expand = nn.Conv2d(c.code_channels, c.expanded_channels, kernel_size=1)
        self.decoder = nn.ModuleList()
        channels = c.expanded_channels
        for width, kernel, hidden in zip(c.decoder_channels, c.decoder_kernels, c.decoder_hidden_kernels, strict=True):
            if c.skip_connections and len(self.decoder) == len(c.decoder_channels) - 1:
                channels += c.code_channels
            self.decoder.append(ConvLSTM2d(channels, width, kernel, hidden_kernel_size=hidden))
            channels = width // 4
        self.output = nn.Conv2d(channels, 3 * c.output_shuffle**2, c.output_kernel, padding=c.output_kernel // 2)

    def _show_colours(self) -> None:
        """First weights of the skip connection from a block.

        The first bits see its mean blue and red differences, and how these change down and across it; the others
        nothing.
        """
        block, weight = self.config.block, self.block_to_code.weight
        blue, red = (torch.tensor(row).view(3, 1, 1) for row in YCBCR_OF_RGB[1:])
        down = torch.ones(block, block)
        down[block // 2 :] = -1.0
        seen = [colour * pattern for pattern in (torch.ones(block, block), down, down.T) for colour in (blue, red)]
        with torch.no_grad():
            weight.zero_()
            for row, pattern in zip(weight, seen, strict=False):
                row.copy_(pattern * _COLOUR_GAIN / block**2)

    # Differentiable path -------------------------------------------------------------------------------------------

    def forward(self, images: Tensor, iterations: int) -> CompressorOutput:
        """Trains on this: every iteration of every image.

        Args:
            images: (N, 3, H, W) in [0, 1], H and W multiples of 16.
            iterations: T.
        """
        codes, decoders = zip(*self._iterations(images, iterations), strict=True)
        states = [*decoders[1:], self.decode_step(codes[-1], decoders[-1])]
        return CompressorOutput(torch.stack(codes, dim=1), torch.stack([_from_range(state.image) for state in states]))

    def _iterations(
        self, images: Tensor, iterations: int, refinement_steps: int = 0
    ) -> Iterator[tuple[Tensor, DecoderState | None]]:
        """The code (N, M, h, w) of each iteration, and the decoder before it: after the last code none has to run."""
        target = _to_range(images).contiguous(memory_format=torch.channels_last)
        encoder: tuple[MapState, ...] | None = None
        decoder: DecoderState | None = None
        code: Tensor | None = None
        for _ in range(iterations):
            residual = target
            if code is not None:
                decoder = self.decode_step(code, decoder)
                residual = (target - decoder.image) * self.config.residual_gain
            x, encoder = self._encode_step(residual, encoder)
            code = self._refined(x, decoder, images, refinement_steps) if refinement_steps else self.binarizer(x)
            yield code, decoder

    def _refined(self, encoded: Tensor, before: DecoderState | None, image: Tensor, steps: int) -> Tensor:
        return refine_code(encoded, lambda bits: _from_range(self.decode_step(bits, before).image), image, steps)

    def _encode_step(self, residual: Tensor, state: tuple[MapState, ...] | None) -> tuple[Tensor, tuple[MapState, ...]]:
        """What is binarized, (N, M, h, w) in ±1, and the encoder's state."""
        x = self.stem(residual)
        layers = []
        for index, layer in enumerate(self.encoder):
            layers.append(layer(x, state[index] if state else None))
            x = layers[-1].h
        if not self.config.skip_connections:
            return self.to_code(x), tuple(layers)
        to_bits, activation = self.to_code
        return activation(to_bits(x) + self.block_to_code(residual)), tuple(layers)

    def decode_step(self, code: Tensor, state: DecoderState | None = None) -> DecoderState:
        """Adds one iteration.

        Args:
            code: (N, M, h, w), ±1.
            state: after the iterations before; None for the first.
        """
        # A copy, as a map of one place keeps whatever strides it has, and kernels are chosen by strides.
        code = code.clone(memory_format=torch.channels_last)
        x = self.expand(code)
        layers: list[MapState] = []
        for index, layer in enumerate(self.decoder):
            if self.config.skip_connections and index == len(self.decoder) - 1:
                x = torch.cat([x, F.interpolate(code, scale_factor=2.0**index)], dim=1)
            layers.append(layer(x, state.layers[index] if state else None))
            x = F.pixel_shuffle(layers[-1].h, 2)
        out = torch.tanh(F.pixel_shuffle(self.output(x).float(), self.config.output_shuffle))
        if self.config.additive and state is not None:
            out = state.image + out / self.config.residual_gain
        return DecoderState(tuple(layers), _clamp(out))

    # Inference path ------------------------------------------------------------------------------------------------

    @torch.no_grad()  # not inference mode: refining codes takes gradients
    def compress(self, images: Tensor, iterations: int | None = None, refinement_steps: int = 0) -> Tensor:
        """Bits of images, see :meth:`jc3d.models.model.Model.compress`.

        Every image runs alone in one thread, so that on one machine and software it has one code; an image of more than
        ``TILE`` pixels a side runs in tiles, which bounds the memory (docs/performance.md has figures).

        Args:
            images: (V, 3, H, W) float32 in [0, 1], H and W at least 16. Blocks that reach over the edge repeat it.
            iterations: T; None: the most.
            refinement_steps: see :func:`jc3d.models.image.code_refinement.refine_code`.
        """
        if images.dim() != 4 or images.shape[1] != 3:
            raise ValueError(f"images: expected (N, 3, H, W), got {tuple(images.shape)}")
        size = (images.shape[2], images.shape[3])
        self.config.check_size(size, "images")
        count = self.config.max_iterations if iterations is None else iterations
        check_iterations(self.config, count)
        self.check_refinement(refinement_steps)
        code_map = self.config.code_map(size)
        packed = []
        with self._inference(images.device), one_thread():
            for image in images.float().unsqueeze(1):
                codes = image.new_empty(count, self.config.code_channels, *code_map)
                for tile in tiles(code_map, self.config.block):
                    steps = self._iterations(tile.of_image(image), count, refinement_steps)
                    for index, (code, _) in enumerate(steps):
                        tile.of_map(codes[index]).copy_(code[0])
                packed.append(torch.stack([pack_bits(code.flatten()) for code in codes]))
        bits = self.config.code_format(size).code_bits
        return torch.stack(packed) if packed else images.new_empty(0, count, -(-bits // 8), dtype=torch.uint8)

    @torch.inference_mode()
    def decompress(self, packed: Tensor, image_size: tuple[int, int]) -> Tensor:
        """Images of codes, see :class:`jc3d.models.capabilities.DecodesImages`.

        Every image runs alone in one thread, in tiles as in :meth:`compress`.
        """
        self._check_packed(packed, image_size)
        images = torch.empty(len(packed), 3, *image_size, device=packed.device)
        for image, iterations in zip(images, packed, strict=True):
            codes = self.code_maps(iterations, image_size)
            for tile in tiles(self.config.code_map(image_size), self.config.block):
                state: DecoderState | None = None
                for code in codes.split(1):
                    state = self.decode_tile(tile.of_map(code), state)
                assert state is not None
                tile.place(image, self.pixels(state))
        return images

    def open_decoder(self, image_size: tuple[int, int]) -> ProgressiveDecoder:
        """See :class:`jc3d.models.capabilities.DecodesProgressively`."""
        return ProgressiveDecoder(self, image_size)

    def code_maps(self, packed: Tensor, image_size: tuple[int, int]) -> Tensor:
        """Packed codes of one image to maps of ±1: (..., bytes) uint8 to (T, M, h, w) float32."""
        codes = unpack_bits(packed, self.config.code_format(image_size).code_bits)
        return codes.view(-1, self.config.code_channels, *self.config.code_map(image_size))

    @torch.inference_mode()
    def decode_tile(self, code: Tensor, state: DecoderState | None = None) -> DecoderState:
        """:meth:`decode_step` of one tile as :meth:`decompress` runs it: alone, in one thread, in float32."""
        with self._inference(code.device), one_thread():
            return self.decode_step(code, state)

    @staticmethod
    def pixels(state: DecoderState) -> Tensor:
        """The image of a decoded tile, (3, h·16, w·16) in [0, 1]."""
        return _from_range(state.image[0])

    def _check_packed(self, packed: Tensor, image_size: tuple[int, int]) -> None:
        """Raises a ValueError for codes that are not (V, T, ceil(m / 8)) uint8 of images of this size."""
        self.config.check_size(image_size)
        last = -(-self.config.code_format(image_size).code_bits // 8)
        if packed.dtype != torch.uint8 or packed.dim() != 3 or packed.shape[2] != last:
            got = f"{str(packed.dtype).removeprefix('torch.')} {tuple(packed.shape)}"
            raise ValueError(f"packed: expected uint8 (N, T, {last}), got {got}")
        check_iterations(self.config, packed.shape[1])


def _to_range(images: Tensor) -> Tensor:
    return (images * 2 - 1) * HALF_RANGE


def _from_range(images: Tensor) -> Tensor:
    return images / (2 * HALF_RANGE) + 0.5


def _clamp(x: Tensor) -> Tensor:
    """To ±0.9; the gradient passes as if it were not there, or what overshoots could never come back."""
    return x + (x.clamp(-HALF_RANGE, HALF_RANGE) - x).detach()
