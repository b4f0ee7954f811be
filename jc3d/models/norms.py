"""Batch normalisations folded into the convolutions before them, and put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from jc3d.models.model import Model
from jc3d.models.registry import build
from jc3d.nn.conv_block import ConvBlock


def fold_norms(model: Model) -> Model:
    """A frozen copy with every batch normalisation folded into the convolution before it.

    Args:
        model: any; its norms are those of :class:`jc3d.nn.conv_block.ConvBlock`. One without gives an equal copy.

    Returns:
        The same function (in eval mode) as a model whose config has ``norm=False``.
    """
    folded = _copy(model, norm=False)
    with torch.no_grad():
        for target, source in zip(_blocks(folded), _blocks(model), strict=True):
            conv, norm = source.conv, source.norm
            if not isinstance(norm, nn.Identity):
                statistics = (norm.running_mean, norm.running_var, norm.eps)
                weight, bias = fuse_conv_bn_weights(conv.weight, conv.bias, *statistics, norm.weight, norm.bias)
                target.conv.weight.copy_(weight)
                target.conv.bias.copy_(bias)
    return folded.freeze()


def unfold_norms(model: Model, run: Callable[[Model], object]) -> Model:
    """The reverse of :func:`fold_norms`, to train packaged weights further: batch normalisations that change nothing.

    Each gets the statistics of its input in ``run``, and the scale and shift that undo them.

    Args:
        model: one without norms.
        run: passes a batch of the data to be trained on through the model it is given, a hundred views or so.

    Returns:
        The same function (in eval mode) as a model whose config has ``norm=True``.

    Raises:
        ValueError: ``run`` leaves a norm without input.
    """
    unfolded = _copy(model, norm=True)
    norms = [block.norm for block in _blocks(unfolded) if not isinstance(block.norm, nn.Identity)]
    reached: set[nn.Module] = set()

    def become_identity(norm: Any, inputs: tuple[Tensor, ...]) -> None:
        _become_identity(norm, inputs[0])
        reached.add(norm)

    hooks = [norm.register_forward_pre_hook(become_identity) for norm in norms]
    with torch.no_grad():
        run(unfolded)
    for hook in hooks:
        hook.remove()
    if len(reached) < len(norms):
        raise ValueError(f"run: expected input for {len(norms)} norms, got some for {len(reached)}")
    return unfolded


def _copy(model: Model, norm: bool) -> Model:
    """In eval mode, with or without norms; these have fresh statistics."""
    copy = build(model.config.with_norm(norm)).eval()
    names = copy.state_dict().keys()
    copy.load_state_dict({key: value for key, value in model.state_dict().items() if key in names}, strict=False)
    return copy


def _blocks(model: nn.Module) -> list[ConvBlock]:
    return [module for module in model.modules() if isinstance(module, ConvBlock)]


def _become_identity(norm: Any, x: Tensor) -> None:
    var, mean = torch.var_mean(x, dim=[0, *range(2, x.dim())])
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(var)
    norm.weight.copy_(torch.sqrt(var + norm.eps))
    norm.bias.copy_(mean)
