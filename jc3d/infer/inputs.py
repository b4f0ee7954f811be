"""What the functions of :mod:`jc3d.infer` take: views in any form, codes in any form."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from typing import TypeAlias, TypeGuard

import numpy as np
from PIL.Image import Image
from torch import Tensor

from jc3d.codec import Codes
from jc3d.errors import CodesError, ImageError
from jc3d.io.images import ViewLike, load_views
from jc3d.models import ModelConfig

CodesLike: TypeAlias = Codes | bytes | bytearray | memoryview | str | os.PathLike[str]
"""The codes of one object: as they are, as the bytes of a ``.jc3d`` file, or as its path."""

CODES_TYPES = (Codes, bytes, bytearray, memoryview, str, os.PathLike)
"""Those of :data:`CodesLike`, for isinstance."""


def read_codes(codes: object) -> Codes:
    """The codes of one object.

    Raises:
        CodesError: damaged, or not a :data:`CodesLike`.
        OSError: a path cannot be read.
    """
    if isinstance(codes, Codes):
        return codes
    if isinstance(codes, bytes | bytearray | memoryview):
        return Codes.from_bytes(codes)
    if isinstance(codes, str | os.PathLike):
        return Codes.load(codes)
    raise CodesError(f"codes: expected Codes, a path or bytes, got {type(codes).__name__}")


def read_objects(codes: object) -> list[Codes]:
    """The codes of several objects, at least one.

    Raises:
        CodesError, OSError: as :func:`read_codes`; CodesError also for none, or those of one object.
    """
    if isinstance(codes, CODES_TYPES) or not isinstance(codes, Iterable):
        raise CodesError(f"codes: expected a sequence of objects' codes, got {type(codes).__name__}")
    objects = [read_codes(item) for item in codes]
    if not objects:
        raise CodesError("codes: expected at least one object, got none")
    return objects


def is_view(item: object) -> TypeGuard[ViewLike]:
    """Whether this is one view, and not several."""
    if isinstance(item, np.ndarray | Tensor):
        return item.ndim <= 3
    return isinstance(item, str | os.PathLike | Image)


def load_objects(images: object, config: ModelConfig) -> tuple[list[Tensor], bool]:
    """The views of one object or of several, as a model takes them.

    Args:
        images: one view, the views of one object, or a list of those lists.
        config: the model's: it says to which size views are brought, or that they keep theirs.

    Returns:
        Of each object (V, 3, H, W) float32 in [0, 1], and whether a list of lists was given.

    Raises:
        ImageError: no view, one that cannot be read, one of a size that is not coded, or views of several sizes.
    """
    if is_view(images):
        return [_load(images, config)], False
    if not isinstance(images, Iterable):
        raise ImageError(f"images: expected views or lists of views, got {type(images).__name__}")
    items = list(images)
    if all(is_view(item) for item in items):
        return [_load(items, config)], False
    objects = []
    for index, item in enumerate(items):
        if is_view(item) or not isinstance(item, Iterable):
            raise ImageError(f"images[{index}]: expected a list of views as the others, got {type(item).__name__}")
        try:
            objects.append(_load(item, config))
        except ImageError as error:
            raise ImageError(f"images[{index}]: {error}") from error
    return objects, True


def _load(images: ViewLike | Iterable[ViewLike], config: ModelConfig) -> Tensor:
    """(V, 3, H, W), resized unless the model takes any size."""
    views = load_views(images, config.image_size)
    first = images[0] if isinstance(images, list) else images
    try:
        name = os.fspath(first) if isinstance(first, (str, os.PathLike)) else "view 0"
        config.check_size((views.shape[2], views.shape[3]), name)
    except ValueError as error:
        raise ImageError(str(error)) from None
    return views


def whole_number(name: str, value: int | None) -> int | None:
    """An optional whole number.

    Raises:
        CodesError: it is another thing.
    """
    try:
        return None if value is None else int(operator.index(value))
    except TypeError:
        raise CodesError(f"{name}: expected a whole number, got {value!r}") from None
