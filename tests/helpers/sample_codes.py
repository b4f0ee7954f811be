"""Codes to test with, and files of them that are damaged but whose checksum is right."""

from __future__ import annotations

import struct

import torch

from jc3d.codec import Codes
from jc3d.codec.crc import crc32c

FINGERPRINT = bytes(range(8))


def samples(views: int = 5, bits: int = 1024, iterations: int = 1, seed: int = 0) -> Codes:
    signs = torch.randint(0, 2, (views, iterations * bits), generator=torch.Generator().manual_seed(seed)) * 2.0 - 1
    return Codes.from_tensor(signs, fingerprint=FINGERPRINT, iterations=iterations)


def float_samples(views: int = 2, numbers: int = 4) -> Codes:
    values = torch.randn((views, numbers), generator=torch.Generator().manual_seed(0))
    return Codes.from_tensor(values, fingerprint=FINGERPRINT, binary=False)


def sealed(body: bytes) -> bytes:
    """A file whose checksum is right, whatever its header says."""
    return body + struct.pack("<I", crc32c(body))


def patched(codes: Codes, offset: int, replacement: bytes) -> bytes:
    body = bytearray(codes.to_bytes()[:-4])
    body[offset : offset + len(replacement)] = replacement
    return sealed(bytes(body))
