"""The ops: each a public function, its reference in plain PyTorch and, where the compiled module has them, kernels."""

from jc3d.ops._extension import extension
from jc3d.ops._library import OpStatus, status
from jc3d.ops.binarize import binarize
from jc3d.ops.pack_bits import pack_bits
from jc3d.ops.unpack_bits import unpack_bits

extension()  # registers the compiled kernels

__all__ = ["OpStatus", "binarize", "extension", "pack_bits", "status", "unpack_bits"]
