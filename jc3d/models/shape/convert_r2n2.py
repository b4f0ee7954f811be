"""Checkpoints of the first author's implementation of 3D-R2N2, as our :class:`R2N2`.

That implementation saves three state dicts (encoder, recurrence, decoder). Its layers are ours in the same order and
layout, so the conversion is a renaming; nothing is transposed. Ours keeps the 3³ kernels of the decoder and folds the
upsampling into them at run time.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from jc3d.errors import WeightsError
from jc3d.models.shape.config import R2N2Config
from jc3d.models.shape.r2n2 import R2N2

_DECODER = {**{f"conv3d{i + 1}": f"decoder.layers.{i}.conv" for i in range(4)}, "conv3d5": "decoder.to_logits"}
_ENCODER = {**{f"conv{i + 1}": f"encoder.layers.{i}.conv" for i in range(6)}, "fc1": "head.2"}
_RECURRENCE = {"convlstm.linear": "gates.linear", "convlstm.conv3d": "recurrence.conv3d"}


def from_reference(
    encoder: Mapping[str, Tensor], recurrence: Mapping[str, Tensor], decoder: Mapping[str, Tensor]
) -> R2N2:
    """Builds ``r2n2-paper`` from the three state dicts of the reference implementation.

    Args:
        encoder: ``conv1`` ... ``conv6``, ``fc1``; each ``.weight`` and ``.bias``.
        recurrence: ``convlstm.linear``, ``convlstm.conv3d``; gates in the order input, forget, cell.
        decoder: ``conv3d1`` ... ``conv3d5``; channel 1 of the last is *occupied*.

    Returns:
        The model in eval mode, with equal outputs.

    Raises:
        WeightsError: missing, unexpected or wrongly shaped tensors.
    """
    state = {
        **_rename(encoder, _ENCODER, "encoder"),
        **_rename(recurrence, _RECURRENCE, "recurrence"),
        **_rename(decoder, _DECODER, "decoder"),
    }
    model = R2N2(R2N2Config(name="r2n2-paper"))
    for name, tensor in model.state_dict().items():
        if state[name].shape != tensor.shape:
            raise WeightsError(f"{name}: expected shape {tuple(tensor.shape)}, got {tuple(state[name].shape)}")
    model.load_state_dict({name: tensor.to(torch.float32) for name, tensor in state.items()})
    model.freeze()
    return model


def _rename(tensors: Mapping[str, Tensor], names: dict[str, str], part: str) -> dict[str, Tensor]:
    expected = {f"{theirs}.{kind}": f"{ours}.{kind}" for theirs, ours in names.items() for kind in ("weight", "bias")}
    if set(tensors) != set(expected):
        missing, unexpected = sorted(set(expected) - set(tensors)), sorted(set(tensors) - set(expected))
        raise WeightsError(f"{part}: missing tensors {missing}, unexpected tensors {unexpected}")
    return {ours: tensors[theirs] for theirs, ours in expected.items()}
