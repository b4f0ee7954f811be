"""The module around the op: when it draws, and from which generator."""

from pathlib import Path

import torch
from torch import distributed, multiprocessing

from jc3d.nn import Binarizer


def _draw_half(rank: int, store: str, x: torch.Tensor, results: dict[int, tuple[torch.Tensor, torch.Tensor]]) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    torch.manual_seed(3)
    half = x[rank * 2 : rank * 2 + 2].clone().requires_grad_()
    bits = Binarizer().train()(half)
    (bits * torch.arange(bits.numel()).view_as(bits)).sum().backward()
    results[rank] = (bits.detach(), half.grad)
    distributed.destroy_process_group()


def test_two_processes_share_one_draw(tmp_path: Path) -> None:
    x = torch.rand(4, 100) * 2 - 1
    with multiprocessing.Manager() as manager:
        results = manager.dict()
        multiprocessing.spawn(_draw_half, (str(tmp_path / "store"), x, results), nprocs=2)
        halves = [results[0], results[1]]
    torch.manual_seed(3)
    assert torch.equal(torch.cat([bits for bits, _ in halves]), Binarizer().train()(x))
    for _, grad in halves:
        assert torch.equal(grad, torch.arange(200.0).view(2, 100))


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
