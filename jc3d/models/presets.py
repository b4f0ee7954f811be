"""Every architecture that has a name."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TypeAlias

from jc3d.models.image.convlstm import RnnConfig
from jc3d.models.joint.direct import DirectConfig
from jc3d.models.joint.sequential import SequentialConfig
from jc3d.models.shape.config import R2N2Config, ReconstructionConfig
from jc3d.models.shape.implicit import ImplicitConfig

ModelConfig: TypeAlias = R2N2Config | RnnConfig | SequentialConfig | DirectConfig

# Bits a view, K = 128·128·24 / rate, to the nearest multiple of four ([J] §IV, Fig. 8).
_BITS = {48: 8192, 96: 4096, 128: 3072, 192: 2048, 384: 1024, 480: 820}

# Designed for training on two CPU cores: a stride of four first, a code that is an 8×8 map and lifted into space, and
# nothing but the two logits at 32³. docs/architecture.md has the reasons.
_R2N2_SMALL = R2N2Config(
    name="r2n2-small",
    encoder_channels=(64, 96, 192, 16),
    encoder_kernels=(7, 3, 3, 3),
    encoder_strides=(4, 2, 2, 1),
    encoder_residuals=(0, 1, 2, 0),
    downsample="stride",
    code_side=8,
    lift_channels=4,
    lift_side=32,
    join_fine=True,
    hidden_channels=32,
    cell_side=8,
    refine_channels=(64,),
    up_channels=(32,),
    head_channels=(),
    norm=True,
)


def _implicit(base: R2N2Config, name: str, bits: int) -> ImplicitConfig:
    return ImplicitConfig(**{**asdict(base), "name": name, "code_size": bits})


_R2N2_PAPER = R2N2Config(name="r2n2-paper")

_RNN_ORIGINAL_PAPER = RnnConfig(name="rnn-original-paper")

# [J] says of its decoder: three layers, of less capacity; the widths are ours.
_RNN_SMALL_PAPER = RnnConfig(
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
_RNN_SMALL = RnnConfig(
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
    shortcuts=True,
    residual_gain=6.0,
)

_RNN_SMALL_ADDITIVE = replace(_RNN_SMALL, name="rnn-small-additive", additive=True)  # γ = 1 of [J] eq. 10


def _reading_codes(base: R2N2Config, **changed: object) -> ReconstructionConfig:
    """The receiving half of an R2N2."""
    names = {field.name for field in fields(ReconstructionConfig)}
    kept = {name: value for name, value in asdict(base).items() if name in names}
    return ReconstructionConfig(**{**kept, **changed})


# Those that lift train without norms: what a batch of one iteration looks like is not what one of eight does, and norms
# that have seen both fit neither. Their recipes start from packaged weights, whose norms are folded.
def _joint(suffix: str, rnn: RnnConfig, r2n2: R2N2Config, matrix: ReconstructionConfig) -> list[ModelConfig]:
    """Sequential and direct of one size; ``matrix`` reads one iteration's code."""
    concat = _reading_codes(r2n2, name=f"direct{suffix}", code_size=rnn.max_iterations * rnn.code_bits)
    return [
        SequentialConfig(f"sequential{suffix}", rnn, r2n2),
        DirectConfig(f"direct{suffix}", rnn, concat),
        DirectConfig(f"direct-recurrent{suffix}", rnn, matrix, fusion="recurrent"),
    ]


# An iteration after the first tells little of a view's pose, so nothing is lifted here: a matrix, as in the paper. What
# enters is one iteration whatever their number, and nothing is packaged to start from: the decoder has norms.
_SMALL_MATRIX = ReconstructionConfig(
    name="direct-recurrent", hidden_channels=64, up_channels=(64, 32), head_channels=(), norm=True
)

PRESETS: dict[str, ModelConfig] = {
    config.name: config
    for config in (
        _R2N2_SMALL,
        _R2N2_PAPER,
        *(_implicit(_R2N2_SMALL, f"implicit-{rate}", bits) for rate, bits in _BITS.items()),
        *(_implicit(_R2N2_PAPER, f"implicit-{rate}-paper", bits) for rate, bits in _BITS.items()),
        _RNN_SMALL,
        _RNN_SMALL_ADDITIVE,
        _RNN_SMALL_PAPER,
        _RNN_ORIGINAL_PAPER,
        *_joint("", _RNN_SMALL, _R2N2_SMALL.with_norm(False), _SMALL_MATRIX),
        *_joint("-paper", _RNN_SMALL_PAPER, _R2N2_PAPER, _reading_codes(_R2N2_PAPER, name="direct-recurrent-paper")),
    )
}


def preset(name: str) -> ModelConfig:
    """The config of a preset.

    Raises:
        ValueError: no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset: expected one of {', '.join(sorted(PRESETS))}, got {name!r}")
    return PRESETS[name]
