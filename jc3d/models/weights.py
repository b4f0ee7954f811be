"""Weights files: safetensors whose metadata says which architecture they are and where they came from.

Tensors are stored in float16 (half the bytes; trained weights lie well inside its range) and computed with in
float32. The fingerprint is taken over the float32 values that both ends compute with.
"""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from jc3d.errors import WeightsError
from jc3d.files import atomic_write
from jc3d.models.config import R2N2Config
from jc3d.models.grid_decoder import GridDecoder
from jc3d.models.implicit import Implicit, ImplicitConfig
from jc3d.models.joint import Direct, DirectConfig, Joint, Sequential, SequentialConfig
from jc3d.models.presets import ModelConfig
from jc3d.models.r2n2 import R2N2
from jc3d.models.rnn_compression import RnnCompressor, RnnConfig
from jc3d.nn import DownsampleConv2d, UpsampleConv3d
from jc3d.nn.image_blocks import ResidualConv2d

FORMAT = "jc3d-weights-1"

_Kernel = nn.Conv2d | nn.Conv3d | UpsampleConv3d

AnyModel: TypeAlias = R2N2 | RnnCompressor | Sequential | Direct

_FAMILIES: dict[str, tuple[type[AnyModel], type[ModelConfig]]] = {
    "r2n2": (R2N2, R2N2Config),
    "implicit": (Implicit, ImplicitConfig),
    "rnn": (RnnCompressor, RnnConfig),
    "sequential": (Sequential, SequentialConfig),
    "direct": (Direct, DirectConfig),
}


def build(config: ModelConfig) -> AnyModel:
    """The model of a config, with torch's own initial weights."""
    make: Any = _FAMILIES[config.family][0]
    model: AnyModel = make(config)
    return model


def fold_norms(model: AnyModel) -> AnyModel:
    """A copy in eval mode with every batch normalisation folded into the convolution before it.

    Args:
        model: any model; one without norms gives an equal copy.

    Returns:
        The same function (in eval mode) as a model whose config has ``norm=False``.
    """
    folded = build(_with_norm(model.config, False)).eval()
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


def unfold_norms(model: AnyModel, views: Tensor) -> AnyModel:
    """The reverse of :func:`fold_norms`, to train packaged weights further: batch normalisations that change nothing.

    Each gets the statistics of its input on ``views``, and the scale and shift that undo them.

    Args:
        model: one without norms.
        views: (B, V, 3, 128, 128) float32 in [0, 1] of the data to be trained on, a hundred views or so.

    Returns:
        The same function (in eval mode) as a model whose config has ``norm=True``.
    """
    unfolded = build(_with_norm(model.config, True)).eval()
    with torch.no_grad():
        _copy_equal_names(unfolded, model)
        for (target, _), (kernel, _) in zip(_kernels(unfolded), _kernels(model), strict=True):
            _copy_kernel(target, kernel.weight, kernel.bias)
        hooks = [
            norm.register_forward_pre_hook(_become_identity)
            for _, norm in _kernels(unfolded)
            if isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d)
        ]
        if isinstance(unfolded, Joint):
            unfolded(views, unfolded.config.max_iterations)
        else:
            unfolded(views)
    for hook in hooks:
        hook.remove()
    return unfolded


def _with_norm(config: ModelConfig, norm: bool) -> ModelConfig:
    """Image codecs have none."""
    return config if isinstance(config, RnnConfig) else config.with_norm(norm)


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


def save_weights(path: str | Path, model: AnyModel, info: dict[str, Any]) -> None:
    """Writes a model's weights, atomically; batch normalisations are folded first.

    Args:
        path: a ``.safetensors`` file.
        model: what to save.
        info: what a model card says (data, seeds, command, commit, metrics); JSON-serialisable.
    """
    folded = fold_norms(model)
    tensors = {name: tensor.half().contiguous() for name, tensor in folded.state_dict().items()}
    infinite = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if infinite:
        raise WeightsError(f"model: expected weights that are finite in float16, got others in {', '.join(infinite)}")
    # The fingerprint is that of the values a reader will compute with.
    folded.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    metadata = {
        "format": FORMAT,
        "family": folded.config.family,
        "config": json.dumps(asdict(folded.config)),
        "fingerprint": folded.fingerprint.hex(),
        "info": json.dumps(info),
    }
    with atomic_write(path) as file:
        file.write(save(tensors, metadata))


def read_metadata(path: str | Path) -> dict[str, Any]:
    """What a weights file says of itself, without reading a tensor.

    Returns:
        ``config`` (a :data:`ModelConfig`), ``fingerprint`` (bytes), ``info`` (dict).

    Raises:
        WeightsError: missing, unreadable or not one of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"weights: no such file: {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"weights: {path} is damaged or not a safetensors file ({error})") from error
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"weights: {path}: expected format {FORMAT}, got {metadata.get('format')}")
    try:
        return {
            "config": _parse_config(_FAMILIES[metadata["family"]][1], json.loads(metadata["config"])),
            "fingerprint": bytes.fromhex(metadata["fingerprint"]),
            "info": json.loads(metadata["info"]),
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"weights: {path}: metadata cannot be read ({error!r})") from error


def _parse_config(kind: Any, raw: dict[str, Any]) -> Any:
    """The reverse of ``asdict``: lists are tuples, and dicts are configs of their field's type."""
    hints = get_type_hints(kind)
    values = {}
    for key, value in raw.items():
        if isinstance(value, list):
            value = tuple(value)
        elif isinstance(value, dict) and is_dataclass(hints.get(key)):
            value = _parse_config(hints[key], value)
        values[key] = value
    return kind(**values)


def load_weights(path: str | Path, device: str | torch.device = "cpu") -> AnyModel:
    """A model from a weights file, in eval mode, float32.

    Raises:
        WeightsError: missing, damaged, wrong shapes, or the fingerprint does not match the values.
    """
    metadata = read_metadata(path)
    try:
        with torch.device("meta"):  # nothing is allocated by what the metadata claims
            model = build(metadata["config"])
            shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    except (TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"weights: {path}: no model can be built from its config ({error})") from error
    try:
        with safe_open(path, framework="pt") as file:
            stored = {name: torch.Size(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            wrong = sorted(name for name in stored.keys() | shapes.keys() if stored.get(name) != shapes.get(name))
            if wrong:
                name = wrong[0]
                raise WeightsError(
                    f"weights: {path} does not fit its architecture: {name}: expected shape {shapes.get(name)}, "
                    f"got {stored.get(name)}"
                )
            tensors = {name: file.get_tensor(name).float() for name in stored}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"weights: {path} is damaged ({error})") from error
    model.load_state_dict(tensors, assign=True)
    model.freeze()
    if model.fingerprint != metadata["fingerprint"]:
        raise WeightsError(
            f"weights: {path}: expected fingerprint {metadata['fingerprint'].hex()}, got {model.fingerprint.hex()}"
        )
    model.to(device)
    return model
