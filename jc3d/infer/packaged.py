"""Codecs by name or by the fingerprint of codes; those of packaged models are loaded once and kept."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import torch

from jc3d import models
from jc3d.codec import Codes
from jc3d.errors import CodesError
from jc3d.infer.codec import Codec


def load(name_or_path: str | os.PathLike[str], device: str | torch.device = "cpu") -> Codec:
    """A codec with trained weights.

    Args:
        name_or_path: a packaged model (`jc3d.models.packaged`), or the path of a ``.safetensors`` file.
        device: where it is to work, such as ``"cpu"`` or ``"cuda"``.

    Raises:
        WeightsError: no such model or file, or it is damaged.
        ValueError: the device does not exist here.
    """
    _check_device(device)
    return Codec(models.load(_name(name_or_path), device))


def codec(name_or_path: str | os.PathLike[str], device: str | torch.device = "cpu") -> Codec:
    """:func:`load`; a packaged model is loaded once for each device and kept."""
    if name_or_path in models.packaged():
        return _packaged_codec(str(name_or_path), str(device))
    return load(name_or_path, device)


def codec_of(codes: Codes, device: str | torch.device = "cpu") -> Codec:
    """The codec of the packaged model that codes name.

    Raises:
        CodesError: no packaged model has their fingerprint.
    """
    name = models.find(codes.fingerprint)
    if name is None:
        raise CodesError(
            f"codes: no packaged model has their fingerprint {codes.fingerprint.hex()} "
            f"(packaged: {', '.join(models.packaged()) or 'none'}); give the weights file of their model"
        )
    return codec(name, device)


@functools.cache
def _packaged_codec(name: str, device: str) -> Codec:
    """A part that is a packaged model itself shares the tensors of that model's codec."""
    _check_device(device)
    return Codec(models.load(name, device, shared=lambda part: _packaged_codec(part, device).model))


def _name(name_or_path: str | os.PathLike[str]) -> str | Path:
    return name_or_path if isinstance(name_or_path, str) else Path(name_or_path)


def _check_device(device: str | torch.device) -> None:
    try:
        if torch.empty(0, device=device).device.type == "meta":
            raise RuntimeError("it holds no numbers")
    except (RuntimeError, AssertionError) as error:  # which of them depends on how torch was built
        reason = str(error).splitlines()[0]
        raise ValueError(f"device: expected one that torch can use here, got {str(device)!r} ({reason})") from error
