"""Architecture of the models that reconstruct."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

from jc3d.models.model import VIEW_SIZE, CodeFormat, ModelConfig
from jc3d.models.stored_names import takes_stored_names
from jc3d.nn.gates import SKIP_SIDE


@takes_stored_names
@dataclass(frozen=True)
class ReconstructionConfig:
    """Architecture of :class:`jc3d.models.Reconstruction`; the defaults are the paper's widths.

    Attributes:
        name: preset name.
        code_size: K, numbers in a view's code.
        code_side: pixels along each side of the map that a code is.
        unproject_channels: of the feature map that is unprojected into space, see :class:`jc3d.nn.UnprojectedGates`; 0:
            the code enters by a matrix.
        unproject_side: pixels along each side of that map, and points along each side of the cube: 16 or 32.
        skip_features: whether unprojected features also skip the recurrence and enter the decoder at 16³.
        trunk_channels: of the network that reads the code before it is unprojected.
        context_size: numbers that this network has for a whole view.
        hidden_channels: N_h.
        cell_side: units along each side of the recurrent cube.
        refine_channels: output channels of 3³ convolutions of the hidden state before it is doubled.
        up_channels: output channels of the doubling 3³ convolutions, from ``cell_side`` to 32; one fewer where the last
            layer doubles.
        head_channels: output channels of the 3³ convolutions at full resolution before the last one.
        norm: batch normalisation while training; :func:`jc3d.models.fold_norms` removes it for inference.
    """

    name: str
    code_size: int = 1024
    code_side: int = 2
    unproject_channels: int = field(default=0, metadata={"stored": "lift_channels"})
    unproject_side: int = field(default=16, metadata={"stored": "lift_side"})
    skip_features: bool = field(default=False, metadata={"stored": "join_fine"})
    trunk_channels: int = 128
    context_size: int = 256
    hidden_channels: int = 128
    cell_side: int = 4
    refine_channels: tuple[int, ...] = ()
    up_channels: tuple[int, ...] = (128, 128, 64)
    head_channels: tuple[int, ...] = (32,)
    norm: bool = False

    grid_size: ClassVar[int] = 32

    def __post_init__(self) -> None:
        if self.code_size < 1:
            raise ValueError(f"code_size: expected a positive number, got {self.code_size}")
        if self.unproject_channels and (self.code_side % 4 or self.cell_side % 2):
            sides = f"{self.code_side} and {self.cell_side}"
            raise ValueError(f"unproject_channels: expected a code_side of fours and an even cell_side, got {sides}")
        if self.unproject_side not in (SKIP_SIDE, 2 * SKIP_SIDE) or self.unproject_side % self.code_side:
            sides = f"{self.unproject_side} (code_side {self.code_side})"
            raise ValueError(f"unproject_side: expected 16 or 32, and a multiple of code_side, got {sides}")
        if self.skip_features and not (self.unproject_channels and self.cell_side < SKIP_SIDE):
            raise ValueError(
                "skip_features: expected unproject_channels above 0 and cell_side below 16, "
                f"got {self.unproject_channels} and {self.cell_side}"
            )
        doublings = (self.grid_size // self.cell_side).bit_length() - 1
        if len(self.up_channels) not in (doublings, doublings - 1) or (self.last_doubles and self.head_channels):
            raise ValueError(
                f"up_channels: expected {doublings} numbers, or {doublings - 1} and no head_channels "
                f"({self.cell_side} is doubled {doublings} times), got {self.up_channels} and {self.head_channels}"
            )

    def with_norm(self, norm: bool) -> Self:
        """The same with or without batch normalisation."""
        return replace(self, norm=norm)

    @property
    def last_doubles(self) -> bool:
        """Whether the last layer of the decoder doubles the grid."""
        return self.cell_side << len(self.up_channels) < self.grid_size

    @property
    def code_channels(self) -> int:
        """Channels of a map that holds K numbers; what it holds more is not sent."""
        return -(-self.code_size // self.code_side**2)


@takes_stored_names
@dataclass(frozen=True)
class R2N2Config(ReconstructionConfig, ModelConfig):
    """Architecture of :class:`R2N2`: :class:`ReconstructionConfig`, and the encoder; the defaults are the paper's.

    Attributes:
        encoder_channels: output channels of the shrinking convolutions.
        encoder_kernels: their kernel sizes.
        encoder_strides: factors by which they shrink, in all from 128 pixels to ``code_side``.
        encoder_residuals: 3×3 residual convolutions after each of them.
        downsample: how they shrink, see :class:`jc3d.nn.DownsampleConv2d`.
    """

    encoder_channels: tuple[int, ...] = (96, 128, 256, 256, 256, 256)
    encoder_kernels: tuple[int, ...] = (7, 3, 3, 3, 3, 3)
    encoder_strides: tuple[int, ...] = (2, 2, 2, 2, 2, 2)
    encoder_residuals: tuple[int, ...] = (0, 0, 0, 0, 0, 0)
    downsample: Literal["pool", "stride"] = "pool"

    image_size: ClassVar[int] = VIEW_SIZE
    binary: ClassVar[bool] = False

    def __post_init__(self) -> None:
        stages, shrinking = len(self.encoder_strides), VIEW_SIZE // self.code_side
        if math.prod(self.encoder_strides) != shrinking:
            raise ValueError(
                f"encoder_strides: expected a product of {shrinking} ({VIEW_SIZE} to {self.code_side}), "
                f"got {self.encoder_strides}"
            )
        for name in ("encoder_channels", "encoder_kernels", "encoder_residuals"):
            value = getattr(self, name)
            if len(value) != stages:
                raise ValueError(f"{name}: expected {stages} numbers, one a stride, got {value}")
        if self.unproject_channels and self.encoder_channels[-1] != self.code_channels:
            raise ValueError(
                f"encoder_channels: expected {self.code_channels} in the end, which hold code_size = {self.code_size}, "
                f"got {self.encoder_channels}"
            )
        super().__post_init__()

    def code_format(self, size: tuple[int, int]) -> CodeFormat:
        """K bits, or K numbers."""
        return CodeFormat(self.code_size if self.binary else 32 * self.code_size, self.binary)
