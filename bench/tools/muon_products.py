"""What Muon's products cost in bfloat16 and in float32: ``python bench/tools/muon_products.py [PRESET]``.

One step of torch's Muon and of ours on all matrices of a model, seconds. Where a CPU emulates bfloat16, torch's takes
tens of times as long.
"""

import time
from typing import Annotated

import torch
import typer
from torch import nn

from jc3d.models import create
from jc3d.train.optim import Float32Muon, is_matrix


def main(preset: Annotated[str, typer.Argument(help="Of the model whose matrices are taken.")] = "rnn-small") -> None:
    """Print the seconds of both."""
    model = create(preset)
    matrices = [nn.Parameter(p.detach().flatten(1)) for p in model.parameters() if is_matrix(p)]
    for matrix in matrices:
        matrix.grad = torch.randn_like(matrix)
    threads = torch.get_num_threads()
    for kind in (Float32Muon, torch.optim.Muon):
        optimizer = kind(matrices)
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            optimizer.step()
            seconds.append(time.perf_counter() - start)
        print(f"{kind.__module__}.{kind.__name__}: {min(seconds):.2f} s, {threads} threads")


if __name__ == "__main__":
    typer.run(main)
