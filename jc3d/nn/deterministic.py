"""Regions in which torch computes the same whatever surrounds it: one thread, and float32 products as they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_threads_lock = threading.RLock()  # torch's thread count is shared by the whole process
_products_lock = threading.RLock()  # so are its settings of TF32


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs the block with ``torch.get_num_threads() == 1`` and restores the count after it; one caller at a time.

    A thread of the program whose very first use of torch falls into another's block keeps the count of one: torch gives
    it the count of that moment. A server calls torch in its workers before it serves.
    """
    with _threads_lock:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


@contextmanager
def float32_products(device: torch.device) -> Iterator[None]:
    """Runs the block without TF32 in convolutions and matrix products, and restores the caller's settings after it.

    One caller at a time. On a CPU there is nothing to set.
    """
    if device.type != "cuda":
        yield
        return
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    with _products_lock:
        before = cudnn.allow_tf32, matmul.allow_tf32
        try:
            cudnn.allow_tf32 = matmul.allow_tf32 = False
            yield
        finally:
            cudnn.allow_tf32, matmul.allow_tf32 = before
