"""The .binvox format, among the codecs; the code is in :mod:`jc3d.data.binvox`, where the data readers need it too."""

from jc3d.data.binvox import Binvox, encode_binvox, read_binvox, write_binvox

__all__ = ["Binvox", "encode_binvox", "read_binvox", "write_binvox"]
