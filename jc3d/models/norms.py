"""Batch normalisations folded into the convolutions before them, and put back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from jc3d.models.model import Model
from jc3d.models.registry import build
from jc3d.models.shape.grid_decoder import GridDecoder
from jc3d.nn import DownsampleConv2d, UpsampleConv3d
from jc3d.nn.image_blocks import ResidualConv2d

_Kernel = nn.Conv2d | nn.Conv3d | UpsampleConv3d


def fold_norms(model: Model) -> Model:
    """A copy in eval mode with every batch normalisation folded into the convolution before it.

    Args:
        model: any model; one without norms gives an equal copy.

    Returns:
        The same function (in eval mode) as a model whose config has ``norm=False``.
    """
    folded = build(model.config.with_norm(False)).eval()
    with torch.no_grad():
        _copy_equal_names(folded, model)
        for (target, _), (kernel, norm) in zip(_kernels(folded), _kernels(model), strict=True):
            weight, bias = kernel.weight, kernel.bias
            if isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d):
                assert norm.running_mean is not None
                assert norm.running_var is not None
                statistics = (norm.running_mean, norm.running_var, norm.eps)
                weight, bias = fuse_conv_bn_weights(weight, bias, *statistics, norm.weight, norm.bias)
            _copy_kernel(target, weight, bias)
    return folded.requires_grad_(False)


def unfold_norms(model: Model, run: Callable[[Model], object]) -> Model:
    """The reverse of :func:`fold_norms`, to train packaged weights further: batch normalisations that change nothing.

    Each gets the statistics of its input, and the scale and shift that undo them.

    Args:
        model: one without norms.
        run: runs a model once on the data to be trained on, a hundred views or so.

    Returns:
        The same function (in eval mode) as a model whose config has ``norm=True``.
    """
    unfolded = build(model.config.with_norm(True)).eval()
    with torch.no_grad():
        _copy_equal_names(unfolded, model)
        for (target, _), (kernel, _) in zip(_kernels(unfolded), _kernels(model), strict=True):
            _copy_kernel(target, kernel.weight, kernel.bias)
        hooks = [
            norm.register_forward_pre_hook(_become_identity)
            for _, norm in _kernels(unfolded)
            if isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d)
        ]
        run(unfolded)
    for hook in hooks:
        hook.remove()
    return unfolded


def _kernels(model: nn.Module) -> list[tuple[_Kernel, nn.Module]]:
    """Every convolution that a norm may follow, in order, with what follows it: a norm, or something else."""
    pairs: list[tuple[_Kernel, nn.Module]] = [
        (block.conv, block.norm) for block in model.modules() if isinstance(block, DownsampleConv2d | ResidualConv2d)
    ]
    for decoder in (module for module in model.modules() if isinstance(module, GridDecoder)):
        for layer, following in pairwise([*decoder.layers, nn.Identity()]):
            if isinstance(layer, UpsampleConv3d | nn.Conv3d):
                pairs.append((layer, following))
    return pairs


def _copy_kernel(target: _Kernel, weight: Tensor, bias: Tensor | None) -> None:
    assert bias is not None
    assert target.bias is not None
    target.weight.copy_(weight)
    target.bias.copy_(bias)


def _copy_equal_names(target: nn.Module, source: nn.Module) -> None:
    """Copies what is called alike, but not the decoder's layers: norms among them shift the numbers of the others."""
    names = target.state_dict().keys()
    equal = {key: value for key, value in source.state_dict().items() if key in names and "decoder.layers." not in key}
    target.load_state_dict(equal, strict=False)


def _become_identity(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    assert isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    var, mean = torch.var_mean(inputs[0], dim=[0, *range(2, inputs[0].dim())])
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(var)
    norm.weight.copy_(torch.sqrt(var + norm.eps))
    norm.bias.copy_(mean)
