"""Registers the ops with PyTorch's dispatcher and says what runs where.

An op has its schema and its reference here, in Python. The reference is registered for every backend
(``CompositeExplicitAutograd``); the kernels of the compiled module are registered for ``CPU`` and ``CUDA`` and take
precedence there. So an op falls back to its reference through the dispatcher, and no code asks which of them runs.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch._ops import OperatorBase

from jc3d.ops._extension import extension

NAMESPACE = "jc3d"
DEVICES = ("cpu", "cuda")

library = torch.library.Library(NAMESPACE, "FRAGMENT")
_names: list[str] = []
_references: dict[str, Callable[..., Any]] = {}
_without_cuda: dict[str, str] = {}


@dataclass(frozen=True)
class OpStatus:
    """What runs an op on a device.

    Attributes:
        compiled: True for a kernel of the compiled module, False for the reference in plain PyTorch.
        reason: why the reference runs; empty where ``compiled``.
    """

    compiled: bool
    reason: str


def register(
    name: str,
    signature: str,
    *,
    reference: Callable[..., Any],
    fake: Callable[..., Any],
    backward: Callable[..., Any] | None = None,
    setup_context: Callable[..., None] | None = None,
    listed: bool = True,
    without_cuda: str = "",
) -> None:
    """Defines the op ``jc3d::name`` with its reference, fake kernel and, where it has one, gradient.

    Args:
        name: name of the op, of its Python module and of its C++ function.
        signature: arguments and results in the schema language, such as ``"(Tensor x) -> Tensor"``.
        reference: the op in plain PyTorch; runs wherever no compiled kernel is registered.
        fake: returns empty tensors of the results' shapes, dtypes, devices and strides.
        backward: gradient formula as :func:`torch.library.register_autograd` takes it.
        setup_context: saves what ``backward`` needs.
        listed: whether :func:`status` names it; the companions of an op are built with it and not named.
        without_cuda: why the op has no CUDA kernel in any build; "" where it has one.
    """

    @functools.wraps(reference)
    def run_reference(*args: Any, **kwargs: Any) -> Any:
        if not without_cuda and any(isinstance(arg, torch.Tensor) and arg.is_cuda for arg in args):
            _warn_without_cuda()
        return reference(*args, **kwargs)

    qualified = f"{NAMESPACE}::{name}"
    _references[name] = reference
    library.define(name + signature, tags=(torch.Tag.pt2_compliant_tag,))
    library.impl(name, run_reference, "CompositeExplicitAutograd")
    torch.library.register_fake(qualified, fake, lib=library)
    if backward is not None:
        torch.library.register_autograd(qualified, backward, setup_context=setup_context, lib=library)
    if without_cuda:
        _without_cuda[name] = without_cuda
    if listed:
        _names.append(name)


def is_compiled(name: str, device: str) -> bool:
    """Whether the compiled module has a kernel of op ``name`` for ``device`` ("cpu" or "cuda")."""
    # The dispatcher is the one place that knows; it has no public query for it.
    return bool(torch._C._dispatch_has_kernel_for_dispatch_key(f"{NAMESPACE}::{name}", device.upper()))


def status() -> dict[str, dict[str, OpStatus]]:
    """Says for every op and device whether a compiled kernel or the reference runs, and why.

    Returns:
        ``status()[op][device]`` with device ``"cpu"`` or ``"cuda"``. It says what the installed build holds, whether or
        not this machine has such a device.
    """
    return {name: {device: _op_status(name, device) for device in DEVICES} for name in _names}


def decompositions(*names: str) -> dict[OperatorBase, Callable[..., Any]]:
    """Ops as their references, for :meth:`torch.export.ExportedProgram.run_decompositions`.

    Args:
        names: of ops that write to none of their arguments, and whose references hold no ``torch.tensor``, which does
            not decompose.

    Returns:
        Each op with its reference: a program so decomposed has torch's operators in its place.
    """
    return {getattr(getattr(torch.ops, NAMESPACE), name).default: _references[name] for name in names}


def _op_status(name: str, device: str) -> OpStatus:
    if is_compiled(name, device):
        return OpStatus(True, "")
    if extension().module is None:
        return OpStatus(False, extension().reason)
    if device == "cuda" and name in _without_cuda:
        return OpStatus(False, _without_cuda[name])
    return OpStatus(False, f"the compiled module was built without {device.upper()} kernels")


@functools.cache
def _warn_without_cuda() -> None:
    """Warns at the first call only."""
    why = extension().reason or "the compiled module was built without CUDA kernels (JC3D_CUDA=1 builds them)"
    warnings.warn(f"jc3d ops run their plain PyTorch reference on CUDA tensors: {why}", stacklevel=3)
