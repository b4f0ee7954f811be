"""A region in which torch computes with one thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.RLock()  # torch's thread count is shared by the whole process


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs the block with ``torch.get_num_threads() == 1`` and restores the count after it; one caller at a time.

    A thread of the program whose very first use of torch falls into another's block keeps the count of one: torch gives
    it the count of that moment. A server calls torch in its workers before it serves.
    """
    with _lock:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
