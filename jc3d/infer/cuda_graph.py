"""A reconstruction for one number of objects, in buffers of its own; on a GPU two CUDA graphs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from jc3d.models import ReceiverState, Reconstruction

_WARM_UP = 3  # calls before a capture: libraries choose their algorithms and take their workspaces


class ReconstructionGraph:
    """Adds a view to all objects at once, and decodes them; nothing is allocated between.

    The shapes never change, so that on a GPU both become graphs: one launch instead of one a kernel. An object that has
    no more views, or none at all where fewer objects come in than the graph is for, is masked.

    One call at a time: on a GPU calls of several threads, each on a CUDA stream of its own, follow one another on the
    graph's.

    Args:
        model: frozen.
        objects: most that come in at once.
    """

    def __init__(self, model: Reconstruction, objects: int) -> None:
        self.model = model
        self.objects = objects
        self._lock = threading.Lock()
        self._stream = torch.cuda.Stream(model.device) if model.device.type == "cuda" else None
        device, config = model.device, model.config
        with torch.inference_mode(), self._on_stream():
            self._codes = torch.zeros(objects, config.code_size, device=device)
            self._has_view = torch.zeros(objects, dtype=torch.bool, device=device)
            state = model.step(self._codes)
            self._state = ReceiverState(*(torch.empty_like(part) for part in state))
            self._grids = model.occupancy(state)
            self._forget()
            self._step, self._decode = self._add_view, self._occupancy
            if self._stream is not None:
                self._step = _captured(self._add_view, self._stream)
                self._decode = _captured(self._occupancy, self._stream)

    @torch.inference_mode()
    def __call__(self, codes: Sequence[Tensor]) -> Tensor:
        """Reconstructs (V_i, K) codes of at most so many objects, no object having more than the one before.

        Returns:
            (B, 32, 32, 32) float32 probabilities, axes x, y, z.
        """
        with self._lock, self._on_stream():
            self._forget()
            for view in range(len(codes[0])):
                active = sum(len(views) > view for views in codes)
                self._codes[:active] = torch.stack([views[view] for views in codes[:active]])
                self._has_view[active:] = False
                self._has_view[:active] = True
                self._step()
            self._decode()
            return self._grids[: len(codes)].clone()

    @contextmanager
    def _on_stream(self) -> Iterator[None]:
        """The graph's stream on its device: after what the caller's stream did, and before what it does next."""
        if self._stream is None:
            yield
            return
        callers = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(callers)
        with torch.cuda.device(self._stream.device), torch.cuda.stream(self._stream):
            yield
        callers.wait_stream(self._stream)

    def _forget(self) -> None:
        """No view yet: zeros, and less than any detail."""
        self._state.h.zero_()
        self._state.c.zero_()
        self._state.skip_features.fill_(-torch.inf)

    def _add_view(self) -> None:
        state, mask = self._state, self._has_view.view(-1, 1, 1, 1, 1)
        added = self.model.step(self._codes, state)
        for part, new in zip(state, added, strict=True):
            torch.where(mask, new, part, out=part)

    def _occupancy(self) -> None:
        self._grids.copy_(self.model.occupancy(self._state))


def _captured(work: Callable[[], None], stream: torch.cuda.Stream) -> Callable[[], None]:
    """The work as a CUDA graph; its first calls are real."""
    for _ in range(_WARM_UP):
        work()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):  # other threads may use the GPU
        work()
    return graph.replay
