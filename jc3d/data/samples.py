"""One object as training and evaluation see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    pass


Split = Literal["train", "val", "test"]

OTHER_CATEGORY = -1
"""Category index of objects outside the thirteen."""


class ObjectSample(NamedTuple):
    """One object, or a batch of them (with a leading dimension)."""

    views: Tensor  # (V, 3, 128, 128) uint8
    grid: Tensor  # (32, 32, 32) bool, axes x, y, z
    category: Tensor  # () int64, index into CATEGORIES or OTHER_CATEGORY
    free_front: Tensor  # () bool: the front direction is arbitrary, any quarter turn of the grid is right
    poses: Tensor  # (V, 3) float32: azimuth and elevation in degrees, distance in object units; NaN: not known


class Source(Protocol):
    """Objects by index; ``draw`` seeds what is random about one visit (views, lights, augmentation)."""

    def __len__(self) -> int: ...

    def get(self, index: int, draw: int, views: int) -> ObjectSample:
        """One object with ``views`` views."""
        ...


def _sample(views: Tensor, grid: NDArray[np.bool_], category: int, free_front: bool, poses: Tensor) -> ObjectSample:
    return ObjectSample(views, torch.as_tensor(grid), torch.tensor(category), torch.tensor(free_front), poses)


def stack(samples: Sequence[ObjectSample]) -> ObjectSample:
    """A batch of samples with equal numbers of views."""
    return ObjectSample(*(torch.stack(tensors) for tensors in zip(*samples, strict=True)))
