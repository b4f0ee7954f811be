"""Architecture of the recurrent image codecs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

from jc3d.io.limits import MAX_PIXELS, MAX_SIDE
from jc3d.models.model import CodeFormat, ModelConfig
from jc3d.models.stored_names import takes_stored_names


@takes_stored_names
@dataclass(frozen=True)
class RnnConfig(ModelConfig):
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
        skip_connections: whether blocks of a residual reach their bits by a linear map, too, and bits the last ConvLSTM
            of the decoder. Through all layers the only thing that is learned of colours in thousands of steps is to
            ignore them: codes that carry none teach the decoder nothing, and a decoder that reads none the encoder.
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
    skip_connections: bool = field(default=False, metadata={"stored": "shortcuts"})
    additive: bool = False
    residual_gain: float = 1.0
    max_iterations: int = 8

    image_size: ClassVar[int | None] = None
    block: ClassVar[int] = 16
    """Pixels along each side of what one place of the code map stands for; no image is smaller."""

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
        if self.skip_connections and self.encoder_channels[-1] == self.code_channels:
            raise ValueError(
                "skip_connections: expected encoder_channels not to end in code_channels, got those that do"
            )
        if not self.residual_gain > 0:
            raise ValueError(f"residual_gain: expected more than 0, got {self.residual_gain}")
        if any(channels % 4 for channels in self.decoder_channels):
            raise ValueError(f"decoder_channels: expected multiples of 4, got {self.decoder_channels}")

    def check_size(self, size: tuple[int, int], name: str = "image_size") -> None:
        """Refuses an image (height, width) that is smaller than a block or larger than any is read."""
        height, width = size
        if min(size) < self.block:
            raise ValueError(
                f"{name}: expected at least {self.block}x{self.block} pixels, got {height}x{width} (height x width)"
            )
        if max(size) > MAX_SIDE:
            raise ValueError(f"{name}: expected at most {MAX_SIDE} pixels a side, got {height}x{width}")
        if height * width > MAX_PIXELS:
            raise ValueError(f"{name}: expected at most {MAX_PIXELS} pixels, got {height}x{width}")

    def code_map(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the code map of an image (height, width), whose last blocks may reach over its edge."""
        height, width = image_size
        return -(-height // self.block), -(-width // self.block)

    def code_format(self, size: tuple[int, int]) -> CodeFormat:
        """M bits of [J] eq. 12, whole blocks."""
        return CodeFormat(self.code_channels * math.prod(self.code_map(size)), binary=True)


RNN_ORIGINAL_PAPER = RnnConfig(name="rnn-original-paper")

# [J] says of its decoder: three layers, of less capacity; the widths are ours.
RNN_SMALL_PAPER = RnnConfig(
    name="rnn-small-paper",
    encoder_channels=(256, 512, 16),
    code_channels=16,
    expanded_channels=256,
    decoder_channels=(256, 256, 128),
    decoder_kernels=(3, 3, 3),
    decoder_hidden_kernels=(1, 1, 3),
    output_shuffle=2,
)

# The same for two CPU cores: no LSTM works on more than 32×32 places, and the wide kernels stand where places are few,
# so that a code sees far: blocks of white background have bits to spare for their neighbours. A 1×1 convolution and
# tanh stand before the binarizer, as in the original: from zero states an LSTM gives at most tanh(1) = 0.76, so that a
# stochastic binarizer would flip one bit of eight at least.
RNN_SMALL = RnnConfig(
    name="rnn-small",
    stem_kernel=7,
    stem_stride=4,
    encoder_channels=(96, 192, 40),
    encoder_kernels=(3, 3, 3),
    encoder_strides=(2, 2, 1),
    encoder_hidden_kernels=(1, 1, 3),
    code_channels=16,
    expanded_channels=64,
    decoder_channels=(160, 128, 64),
    decoder_kernels=(5, 3, 3),
    decoder_hidden_kernels=(3, 1, 1),
    output_kernel=3,
    output_shuffle=2,
    skip_connections=True,
    residual_gain=6.0,
)

RNN_SMALL_ADDITIVE = replace(RNN_SMALL, name="rnn-small-additive", additive=True)  # γ = 1 of [J] eq. 10
