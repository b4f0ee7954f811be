"""Building blocks of the models: modules on top of :mod:`jc3d.ops`."""

from jc3d.nn.binarizer import Binarizer
from jc3d.nn.conv_lstm2d import ConvLSTM2d, MapState
from jc3d.nn.conv_lstm3d import ConvLSTM3d, GridState
from jc3d.nn.gates import Gates, LinearGates, ViewGates
from jc3d.nn.grid_conv3d import GridConv3d
from jc3d.nn.image_blocks import DownsampleConv2d
from jc3d.nn.unprojected_gates import UnprojectedGates
from jc3d.nn.upsample import UpsampleConv3d

__all__ = [
    "Binarizer",
    "ConvLSTM2d",
    "ConvLSTM3d",
    "DownsampleConv2d",
    "Gates",
    "GridConv3d",
    "GridState",
    "LinearGates",
    "MapState",
    "UnprojectedGates",
    "UpsampleConv3d",
    "ViewGates",
]
