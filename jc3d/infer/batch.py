"""Many objects with different numbers of views, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import torch
from torch import Tensor

from jc3d.infer.cuda_graph import ReconstructionGraph
from jc3d.models import ReceiverState, Reconstruction
from jc3d.ops import unpack_bits


class BatchReconstructor:
    """A frozen model as a function of codes: any number of objects, each with any number of views, from any thread.

    Objects are handled in groups of at most so many codes (an object with more is a group of its own, its views added
    in parts). Of a group all codes enter in one pass over the weights, each view is added to all objects that have as
    many, and the grids are decoded a few at a time; so memory is bounded whatever comes in. Which objects share a group
    changes a grid by no more than rounding (1e-6). On a GPU a group runs in CUDA graphs, captured once for each power
    of two of objects (:class:`jc3d.infer.cuda_graph.ReconstructionGraph`), views one after another.

    Args:
        model: frozen (:meth:`jc3d.models.Model.freeze`).
        codes_at_once: of a group; at the paper's widths a code's gates are 100 KB.

    Raises:
        ValueError: ``codes_at_once`` is not positive, or the model is not frozen.
    """

    def __init__(self, model: Reconstruction, codes_at_once: int = 128) -> None:
        if codes_at_once < 1:
            raise ValueError(f"codes_at_once: expected at least 1, got {codes_at_once}")
        if not model.frozen:
            raise ValueError("model: expected one that is frozen (model.freeze()), got one that can be trained")
        self.model = model
        self.codes_at_once = codes_at_once
        self._lock = threading.Lock()

    def __call__(self, codes: Iterable[Tensor]) -> Tensor:
        """Reconstructs.

        Args:
            codes: of each object (V_i, K), or packed, on the model's device; V_i at least 1.

        Returns:
            (B, 32, 32, 32) float32 probabilities, axes x, y, z, in the order of the objects.

        Raises:
            ValueError: no view, or a wrong shape.
        """
        objects = list(codes)
        for index, views in enumerate(objects):
            self.model.check_codes(f"codes[{index}]", views, "V")
            if not len(views):
                raise ValueError(f"codes[{index}]: expected at least one view, got none")
        grids = torch.empty(len(objects), *(self.model.config.grid_size,) * 3, device=self.model.device)
        for group in self._groups([len(views) for views in objects]):
            grids[group] = self._reconstruct([objects[index] for index in group])
        return grids

    def _reconstruct(self, objects: list[Tensor]) -> Tensor:
        if self.model.device.type == "cuda":
            size = self.model.config.code_size
            floats = [unpack_bits(views, size) if views.dtype == torch.uint8 else views for views in objects]
            return self._graph(len(objects))(floats)
        return self.model.occupancy(self._receive(objects))

    def _graph(self, objects: int) -> ReconstructionGraph:
        """The graph for so many objects, or for the next power of two: so there are few, and they are kept."""
        size = 1 << (objects - 1).bit_length()
        graphs: dict[int, ReconstructionGraph] = self.model.of_frozen("graphs", self.model.parameters(), dict)
        with self._lock:
            if size not in graphs:
                graphs[size] = ReconstructionGraph(self.model, size)
            return graphs[size]

    def _receive(self, objects: list[Tensor]) -> ReceiverState:
        """All views of a group; those of one object that has more than a group may have, some at a time."""
        if len(objects) > 1 or len(objects[0]) <= self.codes_at_once:
            return self.model.receive(objects)
        state: ReceiverState | None = None
        for views in objects[0].split(self.codes_at_once):
            state = self.model.receive([views], state)
        assert state is not None
        return state

    def _groups(self, counts: list[int]) -> Iterable[list[int]]:
        """Indices of objects, most views first, so that those still receiving are always the first rows."""
        group: list[int] = []
        total = 0
        for index in sorted(range(len(counts)), key=lambda index: -counts[index]):
            if group and total + counts[index] > self.codes_at_once:
                yield group
                group, total = [], 0
            group.append(index)
            total += counts[index]
        if group:
            yield group
