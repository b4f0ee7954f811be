"""Where the time of a reconstruction goes: ``python bench/tools/profile_ops.py``, Markdown.

Random weights, torch's number of threads. An op's floor is its multiply-adds at the rate of a
large matrix product, or its bytes at the rate of reading memory if that is more, both measured in the same run.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from typing import Annotated

import torch
import typer
from costs import OURS
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from jc3d.models import create
from jc3d.ops import pack_bits

SMALL = 0.2e-3  # seconds of a pass below which ops are summed up in one line


class Work(TorchDispatchMode):
    """What every op of ours computes and touches: by name and input shapes, multiply-adds and bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in OURS:
            tensors = [each for each in (*args, result) if isinstance(each, torch.Tensor)]
            shapes = [each.shape if isinstance(each, torch.Tensor) else each for each in args]
            work = self.of[func.overloadpacket._qualified_op_name, str([list(each.shape) for each in tensors[:2]])]
            work[0] += OURS[func.overloadpacket](*shapes) / 2
            work[1] += sum(each.numel() * each.element_size() for each in tensors)
        return result


def main(
    views: Annotated[int, typer.Option(min=1, help="Of each object.")] = 5,
    objects: Annotated[int, typer.Option(min=1, help="Reconstructed at once.")] = 1,
    preset: Annotated[str, typer.Option(help="Of a model that reconstructs from bits.")] = "implicit-384-paper",
    passes: Annotated[int, typer.Option(min=1, help="That the times are means of.")] = 20,
) -> None:
    """Print the table."""
    model = create(preset).freeze()
    codes = pack_bits(torch.randn(objects, views, model.config.code_size))
    with Work() as work:
        model.reconstruct(codes)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as taken:
        for _ in range(passes):
            model.reconstruct(codes)
    products_rate, bytes_rate = _product_rate(), _read_rate()
    print(f"{products_rate / 1e9:.0f} G multiply-adds and {bytes_rate / 1e9:.0f} GB a second\n")
    print("| op, first two shapes | multiply-adds | MB | floor | took |")
    print("| --- | ---: | ---: | ---: | ---: |")
    others = floors = total = 0.0
    for event in sorted(taken.key_averages(group_by_input_shape=True), key=lambda event: -event.self_cpu_time_total):
        seconds = event.self_cpu_time_total / passes / 1e6
        total += seconds
        shapes = [shape for shape in event.input_shapes if shape][:2]
        products, size = work.of.get((event.key, str(shapes)), (0.0, 0.0))
        if seconds < SMALL:
            others += seconds
            continue
        floor = max(products / products_rate, size / bytes_rate)
        floors += floor
        cells = f"{products / 1e6:.0f} M | {size / 1e6:.1f} | {floor * 1e3:.2f} ms | {seconds * 1e3:.2f} ms"
        print(f"| `{event.key.removeprefix('jc3d::')}` {', '.join(map(str, shapes))} | {cells} |")
    print(f"| the rest | | | | {others * 1e3:.2f} ms |")
    print(f"| in all | | | {floors * 1e3:.1f} ms | {total * 1e3:.1f} ms |")


def _product_rate() -> float:
    a, b = torch.randn(4096, 1024), torch.randn(1024, 1024)
    return 4096 * 1024 * 1024 / _seconds(lambda: a @ b)


def _read_rate() -> float:
    numbers = torch.zeros(64 << 20)  # far larger than any cache
    return numbers.numel() * 4 / _seconds(numbers.sum)


def _seconds(run) -> float:
    def once() -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    run()
    return statistics.median(once() for _ in range(15))


if __name__ == "__main__":
    typer.run(main)
