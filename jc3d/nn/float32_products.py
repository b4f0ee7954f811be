"""A region in which a GPU multiplies float32 numbers as they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.RLock()  # the settings are those of the whole process


@contextmanager
def float32_products(device: torch.device) -> Iterator[None]:
    """Runs the block without TF32 in convolutions and matrix products, and restores the caller's settings after it.

    One caller at a time. On a CPU there is nothing to set.
    """
    if device.type != "cuda":
        yield
        return
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    with _lock:
        before = cudnn.allow_tf32, matmul.allow_tf32
        try:
            cudnn.allow_tf32 = matmul.allow_tf32 = False
            yield
        finally:
            cudnn.allow_tf32, matmul.allow_tf32 = before
