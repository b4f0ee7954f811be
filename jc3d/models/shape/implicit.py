"""The implicit model: R2N2 whose codes are bits ([J] §III-C).

    views ──encoder_K──> tanh ──binarizer──> K bits a view ──R2N2's recurrence and decoder──> occupancy

No image loss is minimised: what the bits say of a view is whatever serves the shape. Training is the task ``shape``
(:mod:`jc3d.train.tasks.shape`), which has the loss.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from jc3d.models.registry import register
from jc3d.models.shape.config import R2N2Config
from jc3d.models.shape.r2n2 import R2N2, R2N2_PAPER, R2N2_SMALL
from jc3d.models.stored_names import takes_stored_names
from jc3d.nn import Binarizer


@takes_stored_names
@dataclass(frozen=True)
class ImplicitConfig(R2N2Config):
    """As :class:`R2N2Config`; ``code_size`` is K bits, and the last encoder width is what holds them (K/4 at 2×2)."""

    binary: ClassVar[bool] = True

    def __post_init__(self) -> None:
        # A frozen dataclass sets its own fields this way.
        widths = (*self.encoder_channels[:-1], self.code_channels)
        object.__setattr__(self, "encoder_channels", widths)
        super().__post_init__()


# Bits a view, K = 128·128·24 / rate, to the nearest multiple of four ([J] §IV, Fig. 8).
_BITS = {48: 8192, 96: 4096, 128: 3072, 192: 2048, 384: 1024, 480: 820}


def _presets(base: R2N2Config, suffix: str) -> list[ImplicitConfig]:
    return [
        ImplicitConfig(**{**asdict(base), "name": f"implicit-{rate}{suffix}", "code_size": bits})
        for rate, bits in _BITS.items()
    ]


IMPLICIT_SMALL, IMPLICIT_PAPER = _presets(R2N2_SMALL, ""), _presets(R2N2_PAPER, "-paper")


@register("implicit", ImplicitConfig, presets=[*IMPLICIT_SMALL, *IMPLICIT_PAPER])
class Implicit(R2N2):
    """R2N2 with a binarizer in place of the encoder's linear layer: K bits a view, 384:1 at K = 1024."""

    config: ImplicitConfig

    def _make_front(self) -> None:
        super()._make_front()
        self.binarizer = Binarizer()

    def _make_head(self, config: R2N2Config) -> nn.Module:
        return nn.Flatten()

    def pre_activations(self, views: Tensor) -> Tensor:
        """(N, 3, 128, 128) in [0, 1] -> (N, K): a bit is +1 where they are not negative."""
        return self._pre_activations(self.encoder(views))

    def _pre_activations(self, features: Tensor) -> Tensor:
        return super()._codes_of_features(features)

    def _pack(self, views: Tensor) -> Tensor:
        """(N, bytes) of (N, 3, 128, 128) views, with no ±1 numbers in between."""
        codes = self._each(views, lambda features: self.binarizer.pack(self._pre_activations(features)))
        return torch.cat(codes) if codes else views.new_empty(0, -(-self.config.code_size // 8), dtype=torch.uint8)

    def shape_inputs(self, packed: Tensor) -> Tensor:
        """The packed bits: the recurrence reads them as they are."""
        return packed[:, 0]

    def _codes_of_features(self, features: Tensor) -> Tensor:
        """Of ±1; stochastic in training, the sign in eval mode.

        The sign of tanh(x) is the sign of x, so inference skips the tanh.
        """
        x = self._pre_activations(features)
        codes: Tensor = self.binarizer(torch.tanh(x) if self.training else x)
        return codes
