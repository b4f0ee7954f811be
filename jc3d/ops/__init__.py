"""The ops: each a public function, its reference in plain PyTorch and, where the compiled module has them, kernels."""

from jc3d.ops._extension import extension
from jc3d.ops._library import OpStatus, decompositions, is_compiled, status
from jc3d.ops.binarize import binarize
from jc3d.ops.binarize_pack import binarize_pack
from jc3d.ops.conv2d_max_pool import conv2d_max_pool, conv2d_max_pool_packed, pack_conv2d_max_pool_weight
from jc3d.ops.conv3d_lstm_gates import conv3d_lstm_gates, conv3d_lstm_gates_
from jc3d.ops.conv_lstm_gates import conv_lstm_gates, conv_lstm_gates_
from jc3d.ops.occupancy_head import occupancy_head
from jc3d.ops.pack_bits import pack_bits
from jc3d.ops.packed_linear import packed_linear, quantize_rows
from jc3d.ops.unpack_bits import unpack_bits
from jc3d.ops.upsample_conv3d import pack_upsample_weight, upsample_conv3d, upsample_conv3d_packed
from jc3d.ops.voxel_iou import IouCounts, voxel_iou
from jc3d.ops.voxel_iou_packed import voxel_iou_packed
from jc3d.ops.winograd_conv3d import pack_winograd_weight, winograd_conv3d, winograd_conv3d_packed

extension()  # registers the compiled kernels

__all__ = [
    "IouCounts",
    "OpStatus",
    "binarize",
    "binarize_pack",
    "conv2d_max_pool",
    "conv2d_max_pool_packed",
    "conv3d_lstm_gates",
    "conv3d_lstm_gates_",
    "conv_lstm_gates",
    "conv_lstm_gates_",
    "decompositions",
    "extension",
    "is_compiled",
    "occupancy_head",
    "pack_bits",
    "pack_conv2d_max_pool_weight",
    "pack_upsample_weight",
    "pack_winograd_weight",
    "packed_linear",
    "quantize_rows",
    "status",
    "unpack_bits",
    "upsample_conv3d",
    "upsample_conv3d_packed",
    "voxel_iou",
    "voxel_iou_packed",
    "winograd_conv3d",
    "winograd_conv3d_packed",
]
