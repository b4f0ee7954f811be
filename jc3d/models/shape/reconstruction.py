"""Codes of views to an occupancy grid: the receiving half of 3D-R2N2 ([J] §II-C).

code ──gates──┐
              ├─ 3D-LSTM (one step a code) ──> h ──decoder──> occupancy
h ──3³ conv───┘
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from jc3d.models.model import Part
from jc3d.models.shape.config import ReconstructionConfig
from jc3d.models.shape.grid_decoder import GridDecoder
from jc3d.nn import ConvLSTM3d, Gates, GridState, LinearGates, UnprojectedGates, ViewGates
from jc3d.nn.deterministic import one_thread
from jc3d.nn.gates import CodeFeatures
from jc3d.ops import unpack_bits


class ReceiverState(NamedTuple):
    """What a receiver keeps of the views so far, B objects.

    Attributes:
        h: hidden state, (B, N_h, S, S, S).
        c: cell state, the same.
        skip_features: the largest over the views, (B, C, 16, 16, 16); C = 0 where the model has none.
    """

    h: Tensor
    c: Tensor
    skip_features: Tensor


class CodeReading(NamedTuple):
    """What is read of the codes of B objects with V views each, before the views are placed.

    Attributes:
        codes: of the B·V codes, object by object.
        objects: B.
    """

    codes: CodeFeatures
    objects: int

    @property
    def pose_scores(self) -> Tensor | None:
        """(B, V, AZIMUTH_BINS + 2), see :class:`jc3d.nn.pose_head.PoseHead`; None where views are not placed."""
        scores = self.codes.pose_scores
        return None if scores is None else scores.unflatten(0, (self.objects, -1))


class Reconstruction(Part):
    """Gates, recurrence and decoder, whatever the codes come from."""

    config: ReconstructionConfig

    def __init__(self, config: ReconstructionConfig) -> None:
        super().__init__(config)
        self._make_front()
        self.gates = self._make_gates(config)
        self.recurrence = ConvLSTM3d(config.hidden_channels)
        self.decoder = GridDecoder(config)

    @property
    def packed_codes(self) -> bool:
        """Whether codes may also come as packed bits."""
        return False

    def _make_front(self) -> None:
        """Builds what stands before the gates: here nothing."""

    def _make_gates(self, config: ReconstructionConfig) -> Gates:
        if not config.unproject_channels:
            return LinearGates(config.code_size, config.hidden_channels, config.cell_side)
        return UnprojectedGates(
            code_size=config.code_size,
            code_side=config.code_side,
            channels=config.hidden_channels,
            side=config.cell_side,
            trunk_channels=config.trunk_channels,
            context_size=config.context_size,
            unproject_channels=config.unproject_channels,
            unproject_side=config.unproject_side,
            norm=config.norm,
        )

    # Differentiable path -------------------------------------------------------------------------------------------

    def read(self, codes: Tensor) -> CodeReading:
        """Reads the codes of objects: (B, V, K), V codes of each of B objects."""
        return CodeReading(self.gates.read(codes.flatten(0, 1)), len(codes))

    def logits(self, reading: CodeReading, poses: Tensor | None = None) -> Tensor:
        """Logits of the grids after the last code, (B, 2, 32, 32, 32).

        Args:
            reading: of the codes.
            poses: (B, V, 3) to place the views by, see :class:`jc3d.nn.pose_head.PoseHead`; None: the most likely ones.
        """
        gates = self.gates.place(reading.codes, None if poses is None else poses.flatten(0, 1))
        # View by view in memory: a step reads its gates where they are.
        x_gates = gates.x_gates.unflatten(0, (reading.objects, -1)).transpose(0, 1).contiguous()
        state: GridState | None = None
        for view_gates in x_gates:
            state = self.recurrence(view_gates, state)
        assert state is not None
        skip_features = gates.skip_features.unflatten(0, (reading.objects, -1)).amax(dim=1)
        logits: Tensor = self.decoder(state.h, skip_features)
        return logits

    # Inference path ------------------------------------------------------------------------------------------------

    def _gates_of_each(self, codes: Tensor) -> ViewGates:
        """Gates of (N, K) codes, batch-invariant: unprojecting models process one code at a time on one thread.

        The order of a float sum can decide which of two poses is likelier, as of a square table seen from the side.
        So a code has one pose in any batch, in a stream and with any number of threads.
        """
        if not self.config.unproject_channels:
            return self._gates(codes)
        if codes.dtype == torch.uint8:
            codes = unpack_bits(codes, self.config.code_size)
        with one_thread():
            each = [self._gates(code.clone()) for code in codes.split(1)]
        return ViewGates(*(torch.cat(parts) for parts in zip(*each, strict=True)))

    def _gates(self, codes: Tensor) -> ViewGates:
        gates: ViewGates = self.gates(codes)
        return gates

    @torch.inference_mode()
    def step(self, codes: Tensor, state: ReceiverState | None = None) -> ReceiverState:
        """Adds one view a row: (B, K) and the state so far (None: no view yet) -> the state after it."""
        self.check_codes("codes", codes, "B")
        return self.receive([code[None] for code in codes], state)

    @torch.inference_mode()
    def receive(self, codes: Sequence[Tensor], state: ReceiverState | None = None) -> ReceiverState:
        """Adds all views of several objects, in one pass over the weights that the codes enter by.

        Args:
            codes: of each object its views', (V_i, K) or packed, no object having more than the one before.
            state: that of these objects so far; None: no view yet. It stays as it is.

        Returns:
            The state after the last view of each.

        Raises:
            ValueError: no object or view, a wrong shape, a state of other objects, or the model is in training mode.
        """
        for index, views in enumerate(codes):
            self.check_codes(f"codes[{index}]", views, "V")
        counts = [len(views) for views in codes]
        if not counts or 0 in counts or counts != sorted(counts, reverse=True):
            raise ValueError(f"codes: expected objects with a view at least, most views first, got views {counts}")
        if state is not None and len(state.h) != len(counts):
            raise ValueError(f"state: expected that of the {len(counts)} objects of codes, got one of {len(state.h)}")
        active = [sum(count > view for count in counts) for view in range(counts[0])]
        rows = torch.stack([codes[index][view] for view, some in enumerate(active) for index in range(some)])
        with self._inference(rows.device):
            gates = self._gates_of_each(rows)
            each_view = zip(gates.x_gates.split(active), gates.skip_features.split(active), strict=True)
            for view, (x_gates, skip_features) in enumerate(each_view):
                state = self._add_view(x_gates, skip_features, state, overwrite=view > 0)
        assert state is not None
        return state

    def check_codes(self, name: str, codes: Tensor, axes: str) -> None:
        """Raises a ValueError for codes that are neither (*, K) floats nor, if they are bits, (*, ceil(K / 8)) uint8.

        Args:
            name: the argument's.
            codes: to check.
            axes: names of the dimensions before the last, such as ``"B, V"``.
        """
        size, packed = self.config.code_size, codes.dtype == torch.uint8 and self.packed_codes
        last = -(-size // 8) if packed else size
        fits = codes.dim() == axes.count(",") + 2 and codes.shape[-1] == last
        if not fits or not (packed or codes.is_floating_point()):
            got = f"{str(codes.dtype).removeprefix('torch.')} {tuple(codes.shape)}"
            raise ValueError(f"{name}: expected {'uint8' if packed else 'float'} ({axes}, {last}), got {got}")

    def _add_view(
        self, x_gates: Tensor, skip_features: Tensor, state: ReceiverState | None, overwrite: bool
    ) -> ReceiverState:
        """Adds a view of the first objects; the others' state stays."""
        if state is None:
            grid = self.recurrence(x_gates)
            return ReceiverState(grid.h, grid.c, skip_features)
        some = len(x_gates)
        grid = self.recurrence(x_gates, GridState(state.h[:some], state.c[:some]), overwrite)
        added = ReceiverState(grid.h, grid.c, torch.maximum(state.skip_features[:some], skip_features))
        if some == len(state.h):
            return added
        return ReceiverState(*(torch.cat((new, old[some:])) for new, old in zip(added, state, strict=True)))

    @torch.inference_mode()
    def occupancy(self, state: ReceiverState) -> Tensor:
        """Occupancy probabilities (B, 32, 32, 32), axes x, y, z.

        On a CPU objects are decoded a few at a time, as many as keep the threads busy: that is as fast as all at once,
        and the allocator's memory is used again, some 20 MB an object at the paper's widths.
        """
        device = state.h.device
        at_once = max(torch.get_num_threads() // 2, 1) if device.type == "cpu" else len(state.h)
        grids = state.h.new_empty(len(state.h), *(self.config.grid_size,) * 3)
        with self._inference(device):
            for some, h, skip_features in zip(
                *(part.split(max(at_once, 1)) for part in (grids, state.h, state.skip_features)), strict=True
            ):
                some.copy_(self.decoder.probabilities(h, skip_features))
        return grids

    @torch.inference_mode()
    def reconstruct(self, codes: Tensor) -> Tensor:
        """(B, V, K) codes, or packed ones -> (B, 32, 32, 32) occupancy probabilities."""
        self.check_codes("codes", codes, "B, V")
        if 0 in codes.shape[:2]:
            raise ValueError(f"codes: expected at least one object and one view, got {tuple(codes.shape)}")
        return self.occupancy(self.receive(list(codes)))
