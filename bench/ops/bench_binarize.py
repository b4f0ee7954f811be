"""binarize, sign and draw, against its reference and torch.bernoulli."""

import pytest
import torch

from jc3d.ops import binarize
from jc3d.ops.binarize import binarize_ref

SHAPES = {rows: (rows, 1024) for rows in (1, 6, 64, 4096, 65536)}


def sign(x, seed):
    return binarize(x)


def sign_reference(x, seed):
    return binarize_ref(x, None)


def draw(x, seed):
    return binarize(x, stochastic=True, seed=seed)


def draw_reference(x, seed):
    return binarize_ref(x, seed)


def draw_bernoulli(x, seed):
    return torch.bernoulli(x * 0.5 + 0.5) * 2 - 1


# The first of each group is what the others are compared with.
CONTENDERS = [draw, draw_reference, draw_bernoulli, sign, sign_reference]


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("rows", SHAPES)
def bench_binarize(measure, benchmark, device, contender, rows):
    benchmark.group = f"binarize, {contender.__name__.split('_')[0]} {SHAPES[rows]} {device}"
    torch.manual_seed(0)
    x, seed = torch.randn(SHAPES[rows]).tanh().to(device), torch.tensor([1], device=device)
    if contender in (draw_reference, sign_reference):  # a draw of torch's own differs by chance
        assert torch.equal(contender(x, seed), draw(x, seed) if contender is draw_reference else sign(x, seed))
    measure(contender, x, seed, num_bytes=2 * 4 * x.numel())
