"""torch.compile as a fair peer."""

import torch


def compiled(function):
    """The function compiled for the shapes it is first called with, and for nothing else.

    What other benchmarks compiled of it is forgotten first: past a number of variants torch runs it eagerly without a
    word, and after the first shapes it makes one slower graph for all.
    """
    torch._dynamo.reset()
    return torch.compile(function, dynamic=False, fullgraph=True)
