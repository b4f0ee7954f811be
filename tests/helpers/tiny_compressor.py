"""A recurrent image codec that is small and quick, and pictures for it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from jc3d.models import RnnCompressor, RnnConfig


def make(additive: bool = True, gain: float = 3.0) -> RnnCompressor:
    """Narrow, with weights large enough that bits and images vary."""
    config = RnnConfig(
        name="tiny",
        stem_channels=8,
        encoder_channels=(8, 16, 4),
        code_channels=4,
        expanded_channels=8,
        decoder_channels=(16, 16, 16),
        decoder_kernels=(3, 3, 3),
        decoder_hidden_kernels=(1, 3, 1),
        output_kernel=3,
        output_shuffle=2,
        additive=additive,
        residual_gain=gain,
    )
    torch.manual_seed(1)
    model = RnnCompressor(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return model.freeze()


def images(count: int, height: int, width: int, seed: int = 0) -> Tensor:
    """Smooth pictures in [0, 1]."""
    coarse = torch.rand(count, 3, 5, 5, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
