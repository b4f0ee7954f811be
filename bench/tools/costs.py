"""Multiply-adds (as they run on a CPU) and parameters of a preset: ``python bench/tools/costs.py [PRESET ...]``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import torch
import typer
from torch.utils.flop_counter import FlopCounterMode

from jc3d.models import create


def upsample_flops(x, packed, bias, out_channels, *_, **__):
    """27 products for a cell of the small grid."""
    return 2 * 27 * x[0] * x[1] * x[2] * x[3] * x[4] * out_channels


def winograd_flops(x, packed, bias, out_channels, *_, **__):
    """64 products for eight cells; tiles that reach over the edge count whole."""
    cells = 8 * -(-x[2] // 2) * -(-x[3] // 2) * -(-x[4] // 2)
    return 2 * 64 * x[0] * x[1] * cells // 8 * out_channels


def conv_pool_flops(x, packed, bias, out_channels, *_, **__):
    """16 products for a window of a 3² kernel, else what the kernel takes for its four outputs."""
    products = packed[0] * packed[2] * (1 if packed[0] > 1 else 4)
    return 2 * products * x[0] * (x[2] // 2) * (x[3] // 2) * out_channels


def head_flops(x, weight, bias, doubled, *_, **__):
    """A product for each tap of the one channel, of each phase of a doubled grid."""
    return 2 * (64 if doubled else 27) * x[0] * x[1] * x[2] * x[3] * x[4]


def packed_linear_flops(packed, weight, bias, scale, *_, **__):
    """As the matrix product that it is."""
    return 2 * packed[0] * weight[0] * weight[1]


PRESETS = ["implicit-384", "r2n2-small", "implicit-384-paper", "r2n2-paper"]
OURS = {
    torch.ops.jc3d.packed_linear: packed_linear_flops,
    torch.ops.jc3d.occupancy_head: head_flops,
    torch.ops.jc3d.conv2d_max_pool_packed: conv_pool_flops,
    torch.ops.jc3d.upsample_conv3d_packed: upsample_flops,
    torch.ops.jc3d.winograd_conv3d_packed: winograd_flops,
}


def multiply_adds(run) -> float:
    """Of what a call computes."""
    with FlopCounterMode(display=False, custom_mapping=OURS) as counter:
        run()
    return counter.get_total_flops() / 2


def main(
    presets: Annotated[list[str], typer.Argument(help="Of shape models.")] = PRESETS,
) -> None:
    """Print a line for each part of each preset."""
    for name in presets:
        model = create(name).freeze()  # only frozen weights run in kernels of ours
        code, view = torch.ones(1, model.config.code_size), torch.rand(1, 3, 128, 128)
        second = model.step(code, model.step(code))
        parts = {
            "encoder": (partial(model.encode, view), (model.encoder, model.head)),
            "gates and recurrence": (partial(model.step, code, second), (model.gates, model.recurrence)),
            "decoder": (partial(model.occupancy, second), (model.decoder,)),
        }
        for part, (run, modules) in parts.items():
            products = multiply_adds(run) / 1e6
            parameters = sum(p.numel() for module in modules for p in module.parameters()) / 1e6
            print(f"{name} {part}: {products:.1f} M multiply-adds, {parameters:.2f} M parameters")


if __name__ == "__main__":
    typer.run(main)
