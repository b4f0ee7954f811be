"""A view's code to the gates of the recurrence, unprojected into space by the pose that it tells."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jc3d.nn.conv_block import NEGATIVE_SLOPE
from jc3d.nn.gates import SKIP_CHANNELS, SKIP_SIDE, CodeFeatures, Gates, ViewGates
from jc3d.nn.image_blocks import DownsampleConv2d, ResidualConv2d
from jc3d.nn.pose_head import PoseHead, most_likely_pose
from jc3d.nn.unprojection import Unproject


class UnprojectedGates(Gates):
    """(N, K) -> (N, 3·N_h, S, S, S): the code is a small map, read by a network and unprojected into space.

        codes ──> map ──trunk──┬─ feature map ────unproject────> skip features ──┬──> (past the recurrence)
                               └─ context ─┬─ pose ────┘                         ├─ + ──> gates
                                           └─ linear ──> coarse gates ───────────┘

    A matrix from code to cube must learn for every view direction anew where things are; here geometry tells it, given
    the pose, which is read from the context.

    Args:
        code_size: K; the map has ceil(K / code_side²) channels, and what of its last one was not sent is zero.
        code_side: pixels along each side of the map.
        channels: N_h.
        side: S, units along each side of the cube, even.
        trunk_channels: of the network that reads the map.
        context_size: numbers that describe the whole view.
        unproject_channels: of the feature map.
        unproject_side: its pixels along each side, and the points along each side of the cube.
        norm: batch normalisation, see :class:`jc3d.models.R2N2Config`.
    """

    # In files every LeakyReLU has a number of its own.
    stored_prefixes: ClassVar[dict[str, str]] = {
        "context.1": "context.2",
        "context.3": "context.5",
        "to_skip.0": "volume.0",
        "to_gates": "volume.2",
    }

    def __init__(
        self,
        code_size: int,
        code_side: int,
        channels: int,
        side: int,
        trunk_channels: int,
        context_size: int,
        unproject_channels: int,
        unproject_side: int,
        norm: bool,
    ) -> None:
        super().__init__()
        self.code_side, self.code_channels = code_side, -(-code_size // code_side**2)
        self.coarse_shape = (3 * channels, side // 2, side // 2, side // 2)
        self.trunk = nn.Sequential(
            DownsampleConv2d(self.code_channels, trunk_channels, 3, 1, "stride", norm),
            ResidualConv2d(trunk_channels, norm, activation=True),
        )
        smallest = code_side // 4
        self.context = nn.Sequential(
            DownsampleConv2d(trunk_channels, context_size, 3, 2, "stride", norm, activation=True),
            DownsampleConv2d(context_size, context_size, 3, 2, "stride", norm, activation=True),
            nn.Flatten(),
            nn.Linear(context_size * smallest**2, context_size),
            nn.LeakyReLU(NEGATIVE_SLOPE),
        )
        self.pose = PoseHead(context_size)
        zoom = unproject_side // code_side
        self.features = nn.Sequential(
            nn.Conv2d(trunk_channels, zoom**2 * unproject_channels, kernel_size=3, padding=1), nn.PixelShuffle(zoom)
        )
        self.unproject = Unproject(unproject_side)
        points, cells = unproject_side // SKIP_SIDE, SKIP_SIDE // side  # along each side of a cell at 16³, of a unit
        self.to_skip = nn.Sequential(
            nn.Conv3d(unproject_channels + 1, SKIP_CHANNELS, kernel_size=points, stride=points),
            nn.LeakyReLU(NEGATIVE_SLOPE),
        )
        self.to_gates = nn.Conv3d(SKIP_CHANNELS, 3 * channels, kernel_size=cells, stride=cells)
        self.coarse = nn.Linear(context_size, 3 * channels * (side // 2) ** 3)

    def read(self, codes: Tensor) -> CodeFeatures:
        """Reads codes as maps: features to unproject, and where the views seem to be taken from."""
        missing = self.code_channels * self.code_side**2 - codes.shape[1]
        maps = F.pad(codes, (0, missing)).view(-1, self.code_channels, self.code_side, self.code_side)
        trunk = self.trunk(maps.contiguous(memory_format=torch.channels_last))
        context = self.context(trunk)
        return CodeFeatures(trunk, context, self.pose(context))

    def place(self, read: CodeFeatures, poses: Tensor | None = None) -> ViewGates:
        """Unprojects what was read."""
        assert read.context is not None
        assert read.pose_scores is not None
        poses = most_likely_pose(read.pose_scores) if poses is None else poses
        skip_features = self.to_skip(self.unproject(self.features(read.features), poses))
        coarse = self.coarse(read.context).unflatten(1, self.coarse_shape)
        return ViewGates(self.to_gates(skip_features) + F.interpolate(coarse, scale_factor=2.0), skip_features)
