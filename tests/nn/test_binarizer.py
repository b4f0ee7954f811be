"""The module around the op: when it draws, and from which generator."""

import torch

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
