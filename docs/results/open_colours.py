"""What the packaged compressors' last training began with: ``python docs/results/open_colours.py WEIGHTS OUT``.

Gives a compressor without shortcuts, alone or in a joint model, those of today's presets, and its last convolution, in
which colours had faded, small random weights for them. Everything else stays as it was.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from jc3d.models import RnnCompressor, load, save_weights
from jc3d.models.image.convlstm import RnnConfig
from jc3d.models.joint.joint import JointConfig
from jc3d.nn.colour import YCBCR_OF_RGB

CODE_INPUTS = 0.2  # of fresh weights: at first the last layer's new inputs should hardly disturb it
COLOURS = 0.03  # a third of the other weights there


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="a packaged model's name or a file")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    old = load(args.weights)
    config = old.config
    coder = config.compressor if isinstance(config, JointConfig) else config
    if not isinstance(coder, RnnConfig) or coder.shortcuts:
        raise SystemExit(f"WEIGHTS: expected a compressor without shortcuts, got {args.weights}")
    if isinstance(config, JointConfig):
        new = type(old)(replace(config, compressor=replace(config.compressor, shortcuts=True)))
        compressor = new.compressor
    else:
        new = compressor = RnnCompressor(replace(config, shortcuts=True))
    with torch.no_grad():
        _take(dict(new.named_parameters()), dict(old.named_parameters()))
        _add_colours(compressor.output.weight, compressor.config.output_shuffle**2)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_weights(args.out, new, {"init": f"{args.weights}, {old.fingerprint.hex()[:8]}, with open colours"})


def _take(new: dict[str, Tensor], old: dict[str, Tensor]) -> None:
    for name, tensor in old.items():
        if new[name].shape == tensor.shape:
            new[name].copy_(tensor)
        else:
            new[name].mul_(CODE_INPUTS)[:, : tensor.shape[1]] = tensor


def _add_colours(weight: Tensor, places: int) -> None:
    """To (3·places, C, k, k): mostly alike for the pixels that one place gives."""
    inputs = weight[0].numel()
    differences = COLOURS * (torch.randn(1, 2, inputs) + 0.3 * torch.randn(places, 2, inputs))
    weight += torch.einsum("cd,pdk->cpk", torch.linalg.inv(torch.tensor(YCBCR_OF_RGB))[:, 1:], differences).reshape(
        weight.shape
    )


if __name__ == "__main__":
    main()
