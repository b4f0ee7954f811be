"""binarize, sign and draw, against its reference, torch.bernoulli and a copy (the least that memory allows)."""

import pytest
import torch

from jc3d.ops import binarize
from jc3d.ops.binarize import binarize_ref

SHAPES = {"five_codes": (5, 1024), "batch": (4096, 1024)}


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


def copy(x, seed):
    return x.clone()


CONTENDERS = [sign, sign_reference, draw, draw_reference, draw_bernoulli, copy]


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", SHAPES)
def bench_binarize(measure, benchmark, device, contender, shape):
    benchmark.group = f"binarize {shape} {device}"
    measure(contender, torch.randn(SHAPES[shape]).tanh().to(device), torch.tensor([1], device=device))
