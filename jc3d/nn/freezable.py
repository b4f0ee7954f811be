"""Weights that are frozen, and what is computed of them once: the order of a CPU kernel, a fingerprint."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self, TypeVar

import torch
from torch import Tensor, nn

from jc3d.errors import WeightsError

T = TypeVar("T")

_computing = threading.RLock()  # so that threads which need the same form make it once


class _Mark(NamedTuple):
    """A tensor as it was: which one, where its memory lies, and how often it had been written to."""

    tensor: Tensor
    address: int
    version: int


class _Kept(NamedTuple):
    """What was computed of some tensors, after how many calls of ``freeze()`` and how many changes by torch."""

    marks: list[_Mark]
    freezes: int
    changes: int
    value: Any


class Freezable(nn.Module):
    """A module whose weights can be frozen, so that what is computed of them is computed once.

    :meth:`freeze` fixes the weights of the module and of all in it. What :meth:`of_frozen` computes of them is made at
    the first use and kept, until

    - ``load_state_dict``, ``.to()`` and the like change the weights, of a part of the module too: it is made anew;
    - ``train()`` or ``requires_grad_()`` ends the freezing: nothing is kept any more.

    Whatever else writes to a frozen weight or replaces it is refused at the next use, with a
    :class:`jc3d.errors.WeightsError`, until ``freeze()`` is called again. (Torch does not count what is written through
    ``weight.data``: nobody can see that.)
    """

    _freezes = 0
    """Calls of :meth:`freeze` since the weights could last learn."""
    _changes = 0
    """Times that the weights were loaded or converted."""
    _kept: dict[str, _Kept] = {}  # noqa: RUF012  replaced, never written to

    @property
    def frozen(self) -> bool:
        """Whether the weights are fixed."""
        return self._freezes > 0

    def freeze(self) -> Self:
        """Eval mode, no gradients and fixed weights; returns itself."""
        self.eval().requires_grad_(False)
        for part in _freezables(self):
            part._freezes += 1
        return self

    def of_frozen(self, name: str, tensors: Iterable[Tensor], compute: Callable[[], T]) -> T:
        """What ``compute`` gives, kept by its name while the module is frozen.

        Args:
            name: of the value, one a module.
            tensors: what it is computed of.
            compute: runs without gradients; with them where the module is not frozen.

        Raises:
            WeightsError: one of the tensors was written to or replaced after :meth:`freeze`.
        """
        if torch.compiler.is_compiling():
            return compute()
        tensors, kept = list(tensors), self._kept.get(name)
        if kept is None or kept.freezes != self._freezes or not _holds(kept.marks, tensors):
            if any(tensor.requires_grad for tensor in tensors):  # fused optimizers write to such and leave no trace
                self._thaw()
            # Tensors made in inference mode keep no count of what is written to them.
            if not self.frozen or any(tensor.is_inference() for tensor in tensors):
                return compute()
            kept = self._keep(name, tensors, compute)
        value: T = kept.value
        return value

    def _keep(self, name: str, tensors: list[Tensor], compute: Callable[[], Any]) -> _Kept:
        with _computing:
            kept, freezes = self._kept.get(name), self._freezes
            changes = sum(part._changes for part in _freezables(self))
            if kept is not None and _holds(kept.marks, tensors):
                kept = kept._replace(freezes=freezes)
            elif kept is not None and (kept.freezes, kept.changes) == (freezes, changes):
                raise WeightsError("weights: expected those of freeze(), got some that were written to; call it again")
            else:
                # Outside of the caller's inference mode, as what is made there cannot serve gradients elsewhere.
                with torch.inference_mode(False), torch.no_grad():
                    kept = _Kept([_marked(tensor) for tensor in tensors], freezes, changes, compute())
            self._kept = self._kept | {name: kept}
            return kept

    def _thaw(self) -> None:
        if self.frozen:
            self._freezes, self._kept = 0, {}

    # What torch calls on a module and every module in it when weights change or are about to --------------------------

    def train(self, mode: bool = True) -> Self:
        """As in torch; training ends the freezing."""
        if mode:
            self._thaw()
        return super().train(mode)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """As in torch; gradients end the freezing."""
        if requires_grad:
            for part in _freezables(self):
                part._thaw()
        return super().requires_grad_(requires_grad)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self._changes, self._kept = self._changes + 1, {}
        applied: Self = super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return applied

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._changes, self._kept = self._changes + 1, {}
        super()._load_from_state_dict(*args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        """A copy makes its own."""
        return self.__dict__ | {"_kept": {}}


def _freezables(module: nn.Module) -> Iterable[Freezable]:
    return (part for part in module.modules() if isinstance(part, Freezable))


def _marked(tensor: Tensor) -> _Mark:
    return _Mark(tensor, tensor.data_ptr(), tensor._version)


def _holds(marks: list[_Mark], tensors: list[Tensor]) -> bool:
    """Whether the tensors are those of the marks, and as they were."""
    if len(marks) != len(tensors):
        return False
    for tensor, (marked, address, version) in zip(tensors, marks, strict=True):
        if tensor is not marked or tensor.requires_grad:
            return False
        if tensor.data_ptr() != address or tensor._version != version:
            return False
    return True
