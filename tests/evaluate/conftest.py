"""Models whose answers are known or asked for by hand, and objects whose truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_shards
import torch
from torch import Tensor

from jc3d.evaluate import Protocol, Report, evaluate
from jc3d.models import R2N2, SequentialJoint, create


class Slab(R2N2):
    """Says that the half x < 16 of the grid is occupied, whatever the codes."""

    def occupancy(self, state: object) -> Tensor:
        grid = torch.zeros(1, 32, 32, 32)
        grid[:, :16] = 1
        return grid


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_shards.write(tmp_path_factory.mktemp("shards"), objects=15)
    (folder / "val").rename(folder / "test")
    return folder


@pytest.fixture(scope="session")
def slab() -> Slab:
    return Slab(create("r2n2-small").config).eval()


@pytest.fixture(scope="session")
def sequential() -> SequentialJoint:
    """Fresh weights, doubled: else the grid hardly depends on what was sent."""
    model = create("sequential")
    assert isinstance(model, SequentialJoint)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 + (parameter.dim() > 1))
    return model.freeze()


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    """Several of everything."""
    return Protocol(views=(1, 3), iterations=(2, 1), thresholds=(0.4, 0.5), objects=3, seed=4)


@pytest.fixture(scope="session")
def report(sequential: SequentialJoint, protocol: Protocol) -> Report:
    """Of fresh weights by that protocol."""
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    return evaluate(sequential, protocol)
