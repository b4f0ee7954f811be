"""Statistics over all processes equal those of one process that has the whole batch."""

import torch
from torch import distributed, multiprocessing, nn

from jc3d.nn.batch_norm import BatchNorm2d


def _normalise_half(rank: int, store: str, x: torch.Tensor, results: dict[int, tuple[torch.Tensor, ...]]) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    torch.manual_seed(0)
    norm = BatchNorm2d(3)
    half = x[rank * 2 : rank * 2 + 2].clone().requires_grad_()
    y = norm(half)
    (y * torch.arange(y.numel()).view_as(y)).sum().backward()
    results[rank] = (y.detach(), half.grad, norm.running_mean, norm.running_var)
    distributed.destroy_process_group()


def test_two_processes_equal_one(tmp_path) -> None:
    torch.manual_seed(1)
    x = torch.randn(4, 3, 5, 5) * 3 + 1
    with multiprocessing.Manager() as manager:
        results = manager.dict()
        multiprocessing.spawn(_normalise_half, (str(tmp_path / "store"), x, results), nprocs=2)
        halves = [results[0], results[1]]
    whole = nn.BatchNorm2d(3)
    x = x.requires_grad_()
    y = whole(x)
    weights = torch.arange(y[:2].numel()).view_as(y[:2])
    (y * torch.cat((weights, weights))).sum().backward()
    torch.testing.assert_close(torch.cat([half[0] for half in halves]), y.detach())
    torch.testing.assert_close(torch.cat([half[1] for half in halves]), x.grad, rtol=1e-4, atol=1e-4)
    for half in halves:
        torch.testing.assert_close(half[2], whole.running_mean)
        torch.testing.assert_close(half[3], whole.running_var)


def test_one_process_is_torchs_own() -> None:
    x = torch.randn(4, 3, 5, 5)
    torch.testing.assert_close(BatchNorm2d(3)(x), nn.BatchNorm2d(3)(x), rtol=0, atol=0)
