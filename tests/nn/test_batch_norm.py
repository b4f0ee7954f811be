"""Statistics over all processes equal those of one process that has the whole batch."""

from functools import partial
from pathlib import Path

import pytest
import torch
import two_processes
from torch import nn

from jc3d.models import create
from jc3d.nn.batch_norm import BatchNorm2d, recalibrated_norms


@pytest.mark.parametrize(("mean", "std"), [(1, 3), (300, 0.01)], ids=["usual", "far from zero"])
def test_two_processes_equal_one(tmp_path: Path, mean: float, std: float) -> None:
    torch.manual_seed(1)
    x = torch.randn(4, 3, 5, 5) * std + mean
    weights = torch.arange(150.0).view(2, 3, 5, 5) / 150
    halves = two_processes.run(partial(BatchNorm2d, 3), x, weights, tmp_path)
    whole = nn.BatchNorm2d(3)
    x = x.requires_grad_()
    y = whole(x)
    (y * torch.cat((weights, weights))).sum().backward()
    torch.testing.assert_close(torch.cat([half[0] for half in halves]), y.detach(), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(torch.cat([half[1] for half in halves]), x.grad, rtol=1e-2, atol=1e-3)
    for half in halves:
        torch.testing.assert_close(half[2], whole.running_mean)
        torch.testing.assert_close(half[3], whole.running_var, rtol=1e-3, atol=1e-6)


def test_one_process_is_torchs_own() -> None:
    x = torch.randn(4, 3, 5, 5)
    torch.testing.assert_close(BatchNorm2d(3)(x), nn.BatchNorm2d(3)(x), rtol=0, atol=0)


def test_recalibrated_norms_have_the_mean_statistics_of_the_block_and_leave_the_rest_as_it_was() -> None:
    torch.manual_seed(0)
    norm = BatchNorm2d(3)
    model = nn.Sequential(norm, nn.Dropout()).eval()
    norm(torch.randn(8, 3, 5, 5) * 100)
    batches = [torch.randn(4, 3, 5, 5) * 3 + 7 for _ in range(6)]
    with recalibrated_norms(model):
        assert model.training
        for batch in batches:
            model(batch)
    assert (model.training, norm.momentum) == (False, 0.1)
    expected = torch.stack([batch.mean((0, 2, 3)) for batch in batches]).mean(0)
    torch.testing.assert_close(norm.running_mean, expected)
    expected = torch.stack([batch.var((0, 2, 3)) for batch in batches]).mean(0)
    torch.testing.assert_close(norm.running_var, expected)


def test_recalibrated_norms_of_two_processes_equal_one(tmp_path: Path) -> None:
    torch.manual_seed(1)
    x, weights = torch.randn(4, 3, 5, 5) + 2, torch.ones(2, 3, 5, 5)
    halves = two_processes.run(partial(BatchNorm2d, 3, momentum=None), x, weights, tmp_path)
    whole = BatchNorm2d(3)
    with recalibrated_norms(whole):
        whole(x)
    for half in halves:
        torch.testing.assert_close(half[2], whole.running_mean)
        torch.testing.assert_close(half[3], whole.running_var)


def test_norms_of_a_frozen_part_are_not_measured() -> None:
    model = create("r2n2-small").train()
    model.encoder.requires_grad_(False).eval()
    before = {name: buffer.clone() for name, buffer in model.named_buffers() if name.endswith("running_mean")}
    modes = {name: module.training for name, module in model.named_modules()}
    with recalibrated_norms(model):
        assert not any(module.training for module in model.encoder.modules())
        model(torch.rand(2, 2, 3, 128, 128))
    after = dict(model.named_buffers())
    changed = {name for name, buffer in before.items() if not torch.equal(buffer, after[name])}
    assert changed
    assert changed == {name for name in before if not name.startswith("encoder.")}
    assert {name: module.training for name, module in model.named_modules()} == modes
