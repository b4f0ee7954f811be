"""Multiply-adds and parameters of a preset, counted: ``python bench/pipeline/costs.py [PRESET ...]``."""

from __future__ import annotations

import sys
from functools import partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from jc3d.models import create


def main() -> None:
    """Prints a line for each part of each preset."""
    for name in sys.argv[1:] or ["implicit-384", "r2n2-small", "implicit-384-paper", "r2n2-paper"]:
        model = create(name).eval()
        code, view = torch.ones(1, model.config.code_size), torch.rand(1, 3, 128, 128)
        second = model.step(code, model.step(code))
        parts = {
            "encoder": (partial(model.encode, view), (model.encoder, model.head)),
            "gates and recurrence": (partial(model.step, code, second), (model.gates, model.recurrence)),
            "decoder": (partial(model.occupancy, second), (model.decoder,)),
        }
        for part, (run, modules) in parts.items():
            with FlopCounterMode(display=False) as counter:
                run()
            products = counter.get_total_flops() / 2e6
            parameters = sum(p.numel() for module in modules for p in module.parameters()) / 1e6
            print(f"{name} {part}: {products:.1f} M multiply-adds, {parameters:.2f} M parameters")


if __name__ == "__main__":
    main()
