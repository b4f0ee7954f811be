"""Every architecture that has a name."""

from __future__ import annotations

from dataclasses import asdict

from jc3d.models.config import R2N2Config
from jc3d.models.implicit import ImplicitConfig

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

PRESETS: dict[str, R2N2Config] = {
    config.name: config
    for config in (
        _R2N2_SMALL,
        _R2N2_PAPER,
        *(_implicit(_R2N2_SMALL, f"implicit-{rate}", bits) for rate, bits in _BITS.items()),
        *(_implicit(_R2N2_PAPER, f"implicit-{rate}-paper", bits) for rate, bits in _BITS.items()),
    )
}


def preset(name: str) -> R2N2Config:
    """The config of a preset.

    Raises:
        ValueError: no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset: expected one of {', '.join(sorted(PRESETS))}, got {name!r}")
    return PRESETS[name]
