"""One object as training and evaluation see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Split = Literal["train", "val", "test"]

HELD_BACK = 10
"""One in so many of the objects that would train validates."""

OTHER_CATEGORY = -1
"""Category index of objects outside the thirteen."""


class ObjectSample(NamedTuple):
    """One object, or a batch of them (with a leading dimension)."""

    views: Tensor  # (V, 3, 128, 128) uint8
    grid: Tensor  # (32, 32, 32) bool, axes x, y, z
    category: Tensor  # () int64, index into CATEGORIES or OTHER_CATEGORY
    ambiguous_front: Tensor  # () bool: the front direction is arbitrary, any quarter turn of the grid is right
    poses: Tensor  # (V, 3) float32: azimuth and elevation in degrees, distance in object units; NaN: not known

    @classmethod
    def of(cls, views: Tensor, grid: NDArray[np.bool_], category: int, ambiguous_front: bool, poses: Tensor) -> Self:
        """One object from the arrays and numbers that sources have."""
        return cls(views, torch.as_tensor(grid), torch.tensor(category), torch.tensor(ambiguous_front), poses)


class Source(Protocol):
    """Objects by index; ``seed`` seeds what is random about one look at an object (views, lights, augmentation)."""

    def __len__(self) -> int: ...

    def get(self, index: int, seed: int, views: int) -> ObjectSample:
        """One object with ``views`` views, a function of the three numbers."""
        ...


def stack(samples: Sequence[ObjectSample]) -> ObjectSample:
    """A batch of samples with equal numbers of views."""
    return ObjectSample(*(torch.stack(tensors) for tensors in zip(*samples, strict=True)))
