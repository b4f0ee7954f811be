"""The link in one call at either end: codecs are found by name at the camera, by the codes' fingerprint elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from torch import Tensor

from jc3d.codec import Codes
from jc3d.errors import renamed_arguments
from jc3d.infer.inputs import CODES_TYPES, CodesLike, read_codes, read_objects
from jc3d.infer.packaged import codec, codec_of, load
from jc3d.io.images import ViewLike


@renamed_arguments(refinement_steps="search_steps")
def encode(
    images: ViewLike | Sequence[ViewLike],
    model: str | os.PathLike[str] = "implicit-384",
    device: str | torch.device = "cpu",
    iterations: int | None = None,
    num_bytes: int | None = None,
    refinement_steps: int = 0,
) -> Codes:
    """Encodes the views of one object with a packaged model; see `Codec.encode`.

    Args:
        images: one view or several.
        model: as in `load`; a packaged model is loaded once and kept.
        device: as in `load`.
        iterations: as in `Codec.encode`.
        num_bytes: as in `Codec.encode`.
        refinement_steps: as in `Codec.encode`.

    Raises:
        ImageError: no view, or one that cannot be read.
        CodesError: ``iterations``, ``num_bytes`` or ``refinement_steps`` out of range.
        WeightsError: no such model.
    """
    return codec(model, device).encode(images, iterations, num_bytes, refinement_steps)


def decode(
    codes: CodesLike, device: str | torch.device = "cpu", weights: str | os.PathLike[str] | None = None
) -> Tensor:
    """The views of an object as images, from nothing but their codes; see `Codec.decode`.

    Args:
        codes: of one object: `Codes`, the path or the bytes of a ``.jc3d`` file.
        device: as in `load`.
        weights: as in `reconstruct`.

    Returns:
        (V, 3, height, width) float32 in [0, 1].

    Raises:
        CodesError: damaged, of a model that is not packaged or has no image decoder, or (with ``weights``) of another.
        WeightsError: ``weights`` cannot be read.
        OSError: a path cannot be read.
    """
    codes = read_codes(codes)
    found = codec_of(codes, device) if weights is None else load(weights, device)
    return found.decode(codes)


def reconstruct(
    codes: CodesLike | Sequence[CodesLike],
    device: str | torch.device = "cpu",
    weights: str | os.PathLike[str] | None = None,
) -> Tensor:
    """Reconstructs one object or several from nothing but their codes, which name their model.

    Args:
        codes: of one object (`Codes`, the path or the bytes of a ``.jc3d`` file), or a sequence of such, whose models
            and numbers of views may differ.
        device: as in `load`.
        weights: the weights file of a model that is not packaged; packaged models are found, loaded once and kept.

    Returns:
        float32 probabilities of occupancy, (32, 32, 32) with axes x, y, z, or (B, 32, 32, 32) for a sequence, on
        ``device``. Where a grid is needed, occupied means > 0.4.

    Raises:
        CodesError: damaged, of a model that is not packaged, or (with ``weights``) of another model.
        WeightsError: ``weights`` cannot be read.
        OSError: a path cannot be read.
    """
    if isinstance(codes, CODES_TYPES):
        return reconstruct([codes], device, weights)[0]
    batch = read_objects(codes)
    if weights is not None:
        return load(weights, device).reconstruct(batch)
    grids: dict[int, Tensor] = {}
    for fingerprint in {item.fingerprint for item in batch}:
        members = [index for index, item in enumerate(batch) if item.fingerprint == fingerprint]
        found = codec_of(batch[members[0]], device)
        grids.update(zip(members, found.reconstruct([batch[index] for index in members]), strict=True))
    return torch.stack([grids[index] for index in range(len(batch))])
