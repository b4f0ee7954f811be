"""What every model is: a module with a config, and an identity that codes carry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any, Self

import torch
from torch import nn

from jc3d.codec.wire import FINGERPRINT_BYTES
from jc3d.nn.deterministic import float32_products

_State = list[tuple[int, int]]


class Model(nn.Module):
    """A module that is built from a frozen dataclass and can be frozen itself.

    Args:
        config: with a ``name`` and a ``family``.
    """

    config: Any

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        # With what was fingerprinted: parts of a model can be written to without the model's knowing.
        self._fingerprint: tuple[_State, bytes] | None = None

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.parameters()).device

    @property
    def fingerprint(self) -> bytes:
        """8 bytes that name this architecture with these weights: a SHA-256 prefix over the config and every tensor.

        Of the config only what differs from the defaults counts, so that a field added later changes no fingerprint.
        """
        state = self._state()
        if self._fingerprint is not None and state == self._fingerprint[0]:
            return self._fingerprint[1]
        digest = hashlib.sha256(json.dumps([self.config.family, _changed(self.config)], sort_keys=True).encode())
        for name, tensor in sorted(self.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().numpy())
        fingerprint = digest.digest()[:FINGERPRINT_BYTES]
        self._fingerprint = None if self.training else (state, fingerprint)
        return fingerprint

    def _state(self) -> _State:
        """Where every tensor is and how often it was written to; fused optimizers do not count, see :meth:`train`."""
        tensors = [*self.parameters(), *self.buffers()]
        return [(tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version) for tensor in tensors]

    def freeze(self) -> Self:
        """Eval mode and no gradients; returns itself."""
        return self.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """As in torch; training forgets the fingerprint, since the weights are about to change."""
        if mode:
            self._fingerprint = None
        return super().train(mode)

    @contextmanager
    def _inference(self, device: torch.device) -> Iterator[None]:
        """Float32 throughout, whatever the caller has set: neither autocast nor TF32."""
        if self.training:
            raise ValueError("model: expected eval mode (model.eval()), got training mode")
        with torch.autocast(device.type, enabled=False), float32_products(device):
            yield


def _changed(config: Any) -> dict[str, Any]:
    """The fields that differ from the defaults; of a config within the config, its own."""
    changed = {field.name: getattr(config, field.name) for field in fields(config)
               if getattr(config, field.name) != field.default}  # fmt: skip
    return {name: _changed(value) if is_dataclass(value) else value for name, value in changed.items()}
