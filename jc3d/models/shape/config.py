"""Architecture of the models that reconstruct."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from jc3d.models.model import VIEW_SIZE, CodeFormat, ModelConfig
from jc3d.nn.gates import FINE_SIDE


@dataclass(frozen=True)
class ReconstructionConfig:
    """Architecture of :class:`jc3d.models.Reconstruction`; the defaults are the paper's widths.

    Attributes:
        name: preset name.
        code_size: K, numbers in a view's code.
        code_side: pixels along each side of the map that a code is.
        lift_channels: of the feature map that is lifted into space, see :class:`jc3d.nn.LiftedGates`; 0: the code
            enters by a matrix.
        lift_side: pixels along each side of that map, and points along each side of the cube: 16 or 32.
        join_fine: whether what is lifted reaches the decoder beside the hidden state too, at 16³.
        trunk_channels: of the network that reads the code before it is lifted.
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
    lift_channels: int = 0
    lift_side: int = 16
    join_fine: bool = False
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
        if self.lift_channels and (self.code_side % 4 or self.cell_side % 2):
            sides = f"{self.code_side} and {self.cell_side}"
            raise ValueError(f"lift_channels: expected a code_side of fours and an even cell_side, got {sides}")
        if self.lift_side not in (FINE_SIDE, 2 * FINE_SIDE) or self.lift_side % self.code_side:
            sides = f"{self.lift_side} (code_side {self.code_side})"
            raise ValueError(f"lift_side: expected 16 or 32, and a multiple of code_side, got {sides}")
        if self.join_fine and not (self.lift_channels and self.cell_side < FINE_SIDE):
            raise ValueError("join_fine: expected a code that is lifted and units coarser than 16³, got neither or one")
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
        for field in ("encoder_channels", "encoder_kernels", "encoder_residuals"):
            value = getattr(self, field)
            if len(value) != stages:
                raise ValueError(f"{field}: expected {stages} numbers, one a stride, got {value}")
        if self.lift_channels and self.encoder_channels[-1] != self.code_channels:
            raise ValueError(
                f"encoder_channels: expected {self.code_channels} in the end, which hold code_size = {self.code_size}, "
                f"got {self.encoder_channels}"
            )
        super().__post_init__()

    def code_format(self, size: tuple[int, int]) -> CodeFormat:
        """K bits, or K numbers."""
        return CodeFormat(self.code_size if self.binary else 32 * self.code_size, self.binary)
