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

from jc3d.nn.float32_products import float32_products

FINGERPRINT_BYTES = 8


class Model(nn.Module):
    """A module that is built from a frozen dataclass and can be frozen itself.

    Args:
        config: with a ``name`` and a ``family``.
    """

    config: Any

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        self._fingerprint: bytes | None = None

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.parameters()).device

    @property
    def fingerprint(self) -> bytes:
        """8 bytes that name this architecture with these weights: a SHA-256 prefix over the config and every tensor.

        Of the config only what differs from the defaults counts, so that a field added later changes no fingerprint.
        """
        if self._fingerprint is not None:
            return self._fingerprint
        digest = hashlib.sha256(json.dumps([self.config.family, _changed(self.config)], sort_keys=True).encode())
        for name, tensor in sorted(self.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().numpy())
        return digest.digest()[:FINGERPRINT_BYTES]

    def freeze(self) -> Self:
        """Eval mode, no gradients, fingerprint computed once; returns itself."""
        self.eval().requires_grad_(False)
        self._fingerprint = None
        self._fingerprint = self.fingerprint
        return self

    def train(self, mode: bool = True) -> Self:
        """As in torch; training forgets the fingerprint, since the weights are about to change."""
        if mode:
            self._fingerprint = None
        return super().train(mode)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As in torch; forgets the fingerprint."""
        self._fingerprint = None
        return super().load_state_dict(*args, **kwargs)

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
