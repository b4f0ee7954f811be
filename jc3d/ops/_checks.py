"""Argument checks of the public functions; messages read "argument: expected ..., got ..."."""

from __future__ import annotations

import torch

FLOAT_DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def describe(value: object) -> str:
    """The dtype of a tensor, the name of a dtype, else the type: what follows "got" in a message."""
    if isinstance(value, torch.Tensor):
        value = value.dtype
    return str(value).removeprefix("torch.") if isinstance(value, torch.dtype) else type(value).__name__


def check_float_tensor(name: str, value: object) -> None:
    """Raises TypeError unless ``value`` is a tensor of a dtype that the kernels read."""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {describe(value)}")
    check_float_dtype(name, value.dtype)


def check_float_dtype(name: str, dtype: torch.dtype) -> None:
    """Raises TypeError unless ``dtype`` is one that the kernels read and write."""
    if dtype not in FLOAT_DTYPES:
        raise TypeError(f"{name}: expected float32, float64, bfloat16 or float16, got {describe(dtype)}")


def check_has_last_dimension(name: str, tensor: torch.Tensor) -> None:
    """Raises ValueError for a tensor without dimensions."""
    if tensor.dim() == 0:
        raise ValueError(f"{name}: expected at least 1 dimension, got 0")


def check_shape(name: str, value: torch.Tensor, shape: tuple[int | None, ...]) -> None:
    """Raises a ValueError for another shape; None stands for any size."""
    fits = value.dim() == len(shape)
    for want, got in zip(shape, value.shape, strict=False):
        fits = fits and (want is None or want == got)
    if not fits:
        wanted = ", ".join("*" if size is None else f"{size}" for size in shape)
        raise ValueError(f"{name}: expected ({wanted}), got {tuple(value.shape)}")


def check_like(name: str, value: torch.Tensor, x: torch.Tensor) -> None:
    """Raises a TypeError or ValueError for another dtype or device than that of ``x``."""
    check_float_tensor(name, value)
    if value.dtype != x.dtype:
        raise TypeError(f"{name}: expected {describe(x)} as x, got {describe(value)}")
    if value.device != x.device:
        raise ValueError(f"{name}: expected a tensor on {x.device} as x, got one on {value.device}")
