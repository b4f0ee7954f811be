"""Recurrent image compression: an image to bits, a few more every iteration ([J] §II-B and appendix; [V] §3).

    x ──(−)──r──> encoder LSTMs ──> binarizer ──> code b_t ──> decoder LSTMs ──> tanh ──(+)──> x̂_t
         └──────────────────────────────── x̂_{t−1} ─────────────────────────────────┘

Every iteration encodes what the decoder still gets wrong, so any first iterations of a view's codes are a code. A
decoder sees codes alone: what an encoder computed in floats on the way decides which bits are sent, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jc3d.io.limits import MAX_PIXELS, MAX_SIDE
from jc3d.models.image.code_refinement import search_bits
from jc3d.models.model import Model
from jc3d.nn import Binarizer, ConvLSTM2d, MapState
from jc3d.nn.colour import YCBCR_OF_RGB
from jc3d.nn.deterministic import one_thread
from jc3d.ops import pack_bits, unpack_bits

HALF_RANGE = 0.9
"""Images lie in ±0.9 inside, which tanh reaches ([V] §3)."""

_COLOUR_GAIN = 8.0  # makes colour differences about one, what a tanh tells best
TILE = 1024
"""Pixels along each side of the tiles that larger images are coded in, each as an image of its own."""


@dataclass(frozen=True)
class RnnConfig:
    """Architecture of :class:`RnnCompressor`; the defaults are the *original* network of [J].

    Attributes:
        name: preset name.
        stem_channels: of the convolution that reads the image.
        stem_kernel: its kernel size.
        stem_stride: its stride.
        encoder_channels: of the encoder's ConvLSTMs. If the last has ``code_channels``, what it gives is binarized as
            it is; else a 1×1 convolution and tanh stand before the binarizer.
        encoder_kernels: of their inputs.
        encoder_strides: of their inputs, with the stem's 16 in all.
        encoder_hidden_kernels: of their hidden states.
        code_channels: M, bits of 16×16 pixels and an iteration.
        expanded_channels: of the 1×1 convolution that reads a code.
        decoder_channels: of the decoder's ConvLSTMs, each followed by depth-to-space by two.
        decoder_kernels: of their inputs.
        decoder_hidden_kernels: of their hidden states.
        output_kernel: of the convolution that gives the pixels.
        output_shuffle: factor of its own depth-to-space.
        shortcuts: whether blocks of a residual reach their bits by a linear map, too, and bits the last ConvLSTM of the
            decoder. Through all layers the only thing that is learned of colours in thousands of steps is to ignore
            them: codes that carry none teach the decoder nothing, and a decoder that reads none the encoder.
        additive: γ = 1, every iteration adds to the image before; else γ = 0, every iteration gives the whole image.
        residual_gain: what residuals are multiplied with before the encoder, after the first iteration; with γ = 1 the
            decoder's additions are divided by it. Residuals are many times smaller than images, and one set of weights
            reads both.
        max_iterations: most iterations of a code.
    """

    name: str
    stem_channels: int = 64
    stem_kernel: int = 3
    stem_stride: int = 2
    encoder_channels: tuple[int, ...] = (256, 512, 512)
    encoder_kernels: tuple[int, ...] = (3, 3, 3)
    encoder_strides: tuple[int, ...] = (2, 2, 2)
    encoder_hidden_kernels: tuple[int, ...] = (1, 1, 1)
    code_channels: int = 32
    expanded_channels: int = 512
    decoder_channels: tuple[int, ...] = (512, 512, 256, 128)
    decoder_kernels: tuple[int, ...] = (3, 3, 3, 3)
    decoder_hidden_kernels: tuple[int, ...] = (1, 1, 3, 3)
    output_kernel: int = 1
    output_shuffle: int = 1
    shortcuts: bool = False
    additive: bool = False
    residual_gain: float = 1.0
    max_iterations: int = 8

    family: ClassVar[str] = "rnn"
    binary: ClassVar[bool] = True
    image_size: ClassVar[int] = 128  # of the views of an object; alone it takes any size
    block: ClassVar[int] = 16
    """Pixels along each side of what one place of the code map stands for; no image is smaller."""
    norm: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.code_channels < 1 or self.max_iterations < 1:
            raise ValueError(
                "code_channels, max_iterations: expected positive numbers, "
                f"got {self.code_channels} and {self.max_iterations}"
            )
        for name in ("encoder", "decoder"):
            expected = len(getattr(self, f"{name}_channels"))
            for part in ("kernels", "hidden_kernels", *(("strides",) if name == "encoder" else ())):
                value = getattr(self, f"{name}_{part}")
                if len(value) != expected:
                    raise ValueError(f"{name}_{part}: expected {expected} numbers, one a layer, got {value}")
        shrinking = self.stem_stride * math.prod(self.encoder_strides)
        growing = 2 ** len(self.decoder_channels) * self.output_shuffle
        if shrinking != self.block or growing != self.block:
            raise ValueError(f"{self.name}: expected to shrink and grow by {self.block}, got {shrinking} and {growing}")
        kernels = [self.stem_kernel, self.output_kernel, *self.encoder_kernels, *self.encoder_hidden_kernels]
        kernels += [*self.decoder_kernels, *self.decoder_hidden_kernels]
        if any(kernel < 1 or kernel % 2 == 0 for kernel in kernels):
            raise ValueError(f"kernels: expected odd numbers, got {kernels}")
        if self.shortcuts and self.encoder_channels[-1] == self.code_channels:
            raise ValueError("shortcuts: expected encoder_channels that do not end in code_channels, got those that do")
        if not self.residual_gain > 0:
            raise ValueError(f"residual_gain: expected more than 0, got {self.residual_gain}")
        if any(channels % 4 for channels in self.decoder_channels):
            raise ValueError(f"decoder_channels: expected multiples of 4, got {self.decoder_channels}")

    def check_size(self, image_size: tuple[int, int]) -> None:
        """Raises a ValueError for an image (height, width) that is smaller than a block or larger than any is read."""
        height, width = image_size
        if min(image_size) < self.block:
            raise ValueError(
                f"expected at least {self.block}x{self.block} pixels, got {height}x{width} (height x width)"
            )
        if max(image_size) > MAX_SIDE:
            raise ValueError(f"expected at most {MAX_SIDE} pixels a side, got {height}x{width}")
        if height * width > MAX_PIXELS:
            raise ValueError(f"expected at most {MAX_PIXELS} pixels, got {height}x{width}")

    def code_map(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the code map of an image (height, width), whose last blocks may reach over its edge."""
        height, width = image_size
        return -(-height // self.block), -(-width // self.block)

    def code_bits_of(self, image_size: tuple[int, int]) -> int:
        """M of [J] eq. 12: bits an iteration of an image (height, width)."""
        return self.code_channels * math.prod(self.code_map(image_size))

    @property
    def code_bits(self) -> int:
        """Bits an iteration of a view of an object."""
        return self.code_bits_of((self.image_size, self.image_size))

    @property
    def ratio(self) -> float:
        """Compression ratio of one iteration by payload, [J] eq. 12."""
        return self.block**2 * 24 / self.code_channels


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


class RnnCompressor(Model):
    """Recurrent encoder, binarizer and recurrent decoder, [J] eqs. 10 and 11.

    Differs from the equations in one thing: an image is clamped to its range in every iteration, so the residual is
    that of the image as it is shown.
    """

    config: RnnConfig

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
        if c.shortcuts:
            self.block_to_code = nn.Conv2d(3, c.code_channels, c.block, c.block, bias=False)
            self._show_colours()
        self.binarizer = Binarizer()
        self.expand = nn.Conv2d(c.code_channels, c.expanded_channels, kernel_size=1)
        self.decoder = nn.ModuleList()
        channels = c.expanded_channels
        for width, kernel, hidden in zip(c.decoder_channels, c.decoder_kernels, c.decoder_hidden_kernels, strict=True):
            if c.shortcuts and len(self.decoder) == len(c.decoder_channels) - 1:
                channels += c.code_channels
            self.decoder.append(ConvLSTM2d(channels, width, kernel, hidden_kernel_size=hidden))
            channels = width // 4
        self.output = nn.Conv2d(channels, 3 * c.output_shuffle**2, c.output_kernel, padding=c.output_kernel // 2)

    def _show_colours(self) -> None:
        """First weights of the shortcut from a block.

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
        self, images: Tensor, iterations: int, search_steps: int = 0
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
            code = self._searched(x, decoder, images, search_steps) if search_steps else self.binarizer(x)
            yield code, decoder

    def _searched(self, said: Tensor, before: DecoderState | None, image: Tensor, steps: int) -> Tensor:
        return search_bits(said, lambda bits: _from_range(self.decode_step(bits, before).image), image, steps)

    def _encode_step(self, residual: Tensor, state: tuple[MapState, ...] | None) -> tuple[Tensor, tuple[MapState, ...]]:
        """What is binarized, (N, M, h, w) in ±1, and the encoder's state."""
        x = self.stem(residual)
        layers = []
        for index, layer in enumerate(self.encoder):
            layers.append(layer(x, state[index] if state else None))
            x = layers[-1].h
        if not self.config.shortcuts:
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
            if self.config.shortcuts and index == len(self.decoder) - 1:
                x = torch.cat([x, F.interpolate(code, scale_factor=2.0**index)], dim=1)
            layers.append(layer(x, state.layers[index] if state else None))
            x = F.pixel_shuffle(layers[-1].h, 2)
        out = torch.tanh(F.pixel_shuffle(self.output(x).float(), self.config.output_shuffle))
        if self.config.additive and state is not None:
            out = state.image + out / self.config.residual_gain
        return DecoderState(tuple(layers), _clamp(out))

    # Inference path ------------------------------------------------------------------------------------------------

    @torch.no_grad()  # not inference mode: a search for bits takes gradients
    def encode_packed(self, images: Tensor, iterations: int | None = None, search_steps: int = 0) -> Tensor:
        """The codes of images as they go over the wire; an image's code never depends on its company.

        Every image runs alone in one thread, so that on one machine and software it has one code; an image of more than
        ``TILE`` pixels a side runs in tiles, which bounds the memory (docs/performance.md has figures).

        Args:
            images: (N, 3, H, W) float32 in [0, 1], H and W at least 16. Blocks that reach over the edge repeat it.
            iterations: T; None: the most.
            search_steps: of a search for better bits, see :func:`jc3d.models.image.code_refinement.search_bits`.

        Returns:
            (N, T, ceil(m / 8)) uint8, bits packed as by :func:`jc3d.ops.pack_bits`.

        Raises:
            ValueError: wrong shape, iterations out of range, or the model is in training mode.
        """
        if images.dim() != 4 or images.shape[1] != 3:
            raise ValueError(f"images: expected (N, 3, H, W), got {tuple(images.shape)}")
        self.config.check_size((images.shape[2], images.shape[3]))
        count = self.config.max_iterations if iterations is None else iterations
        self._check_iterations(count)
        if search_steps < 0:
            raise ValueError(f"search_steps: expected 0 or more, got {search_steps}")
        height, width = self.config.code_map((images.shape[2], images.shape[3]))
        packed = []
        with self._inference(images.device), one_thread():
            for image in images.float().unsqueeze(1):
                codes = image.new_empty(count, self.config.code_channels, height, width)
                for rows, columns in tiles(height, width):
                    tile = self._padded(image, rows, columns)
                    for index, (code, _) in enumerate(self._iterations(tile, count, search_steps)):
                        codes[index, :, rows, columns] = code[0]
                packed.append(torch.stack([pack_bits(code.flatten()) for code in codes]))
        bits = -(-self.config.code_channels * height * width // 8)
        return torch.stack(packed) if packed else images.new_empty(0, count, bits, dtype=torch.uint8)

    def _padded(self, image: Tensor, rows: slice, columns: slice) -> Tensor:
        """The pixels of some blocks of (1, 3, H, W); what lies over the edge repeats it."""
        block = self.config.block
        part = image[:, :, rows.start * block : rows.stop * block, columns.start * block : columns.stop * block]
        below = (rows.stop - rows.start) * block - part.shape[2]
        right = (columns.stop - columns.start) * block - part.shape[3]
        return F.pad(part, (0, right, 0, below), mode="replicate")

    @torch.inference_mode()
    def decode(self, packed: Tensor, image_size: tuple[int, int]) -> Tensor:
        """Images of codes: of all iterations that are there.

        Nothing but the codes decides what comes out; every image runs alone in one thread, in tiles as in
        :meth:`encode_packed`.

        Args:
            packed: (N, T, ceil(m / 8)) uint8.
            image_size: (height, width).

        Returns:
            (N, 3, height, width) float32 in [0, 1].

        Raises:
            ValueError: wrong shape, iterations out of range, or the model is in training mode.
        """
        self.check_packed(packed, image_size)
        images = torch.empty(len(packed), 3, *image_size, device=packed.device)
        for image, iterations in zip(images, packed, strict=True):
            codes = self.code_maps(iterations, image_size)
            for rows, columns in tiles(codes.shape[2], codes.shape[3]):
                state: DecoderState | None = None
                for code in codes.split(1):
                    state = self.decode_tile(code[:, :, rows, columns], state)
                assert state is not None
                self.place(image, state, rows, columns)
        return images

    def code_maps(self, packed: Tensor, image_size: tuple[int, int]) -> Tensor:
        """(T, ceil(m / 8)) uint8 to maps of ±1, (T, M, h, w) float32."""
        codes = unpack_bits(packed, self.config.code_bits_of(image_size))
        return codes.view(-1, self.config.code_channels, *self.config.code_map(image_size))

    @torch.inference_mode()
    def decode_tile(self, code: Tensor, state: DecoderState | None = None) -> DecoderState:
        """:meth:`decode_step` of one tile as :meth:`decode` runs it: alone, in one thread, in float32."""
        with self._inference(code.device), one_thread():
            return self.decode_step(code, state)

    def place(self, image: Tensor, state: DecoderState, rows: slice, columns: slice) -> None:
        """Writes a decoded tile into its image (3, H, W) in [0, 1], without what lies over the edge."""
        block = self.config.block
        part = image[:, rows.start * block : rows.stop * block, columns.start * block : columns.stop * block]
        part.copy_(_from_range(state.image[0, :, : part.shape[1], : part.shape[2]]))

    def check_packed(self, packed: Tensor, image_size: tuple[int, int]) -> None:
        """Raises a ValueError for codes that are not (N, T, ceil(m / 8)) uint8 of images of this size."""
        self.config.check_size(image_size)
        last = -(-self.config.code_bits_of(image_size) // 8)
        if packed.dtype != torch.uint8 or packed.dim() != 3 or packed.shape[2] != last:
            got = f"{str(packed.dtype).removeprefix('torch.')} {tuple(packed.shape)}"
            raise ValueError(f"packed: expected uint8 (N, T, {last}), got {got}")
        self._check_iterations(packed.shape[1])

    def _check_iterations(self, count: int) -> None:
        if not 1 <= count <= self.config.max_iterations:
            raise ValueError(f"iterations: expected 1 to {self.config.max_iterations}, got {count}")


def tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the tiles of a code map (height, width)."""
    step = TILE // RnnConfig.block
    for top in range(0, height, step):
        for left in range(0, width, step):
            yield slice(top, min(top + step, height)), slice(left, min(left + step, width))


def _to_range(images: Tensor) -> Tensor:
    return (images * 2 - 1) * HALF_RANGE


def _from_range(images: Tensor) -> Tensor:
    return images / (2 * HALF_RANGE) + 0.5


def _clamp(x: Tensor) -> Tensor:
    """To ±0.9; the gradient passes as if it were not there, or what overshoots could never come back."""
    return x + (x.clamp(-HALF_RANGE, HALF_RANGE) - x).detach()
