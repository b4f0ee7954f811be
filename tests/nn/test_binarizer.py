"""The module around the op: when it draws, and from which generator."""

from pathlib import Path

import torch
import two_processes

from jc3d.nn import Binarizer


def test_eval_gives_signs() -> None:
    x = torch.tensor([-2.0, -1e-30, -0.0, 0.0, 1e-30, 0.3])
    assert Binarizer().eval()(x).tolist() == [-1, -1, 1, 1, 1, 1]


def test_training_draws_follow_torchs_seed_and_differ_between_calls() -> None:
    binarizer, x = Binarizer().train(), torch.zeros(1000)
    torch.manual_seed(3)
    first, second = binarizer(x), binarizer(x)
    torch.manual_seed(3)
    assert torch.equal(binarizer(x), first)
    assert not torch.equal(first, second)
    assert abs(first.mean()) < 0.15


def test_two_processes_share_one_draw(tmp_path: Path) -> None:
    x = torch.rand(4, 100) * 2 - 1
    weights = torch.arange(200.0).view(2, 100)
    halves = two_processes.run(Binarizer, x, weights, tmp_path)
    torch.manual_seed(3)
    assert torch.equal(torch.cat([half[0] for half in halves]), Binarizer().train()(x))
    for half in halves:
        assert torch.equal(half[1], weights)
