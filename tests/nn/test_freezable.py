"""What is computed of frozen weights is computed once, and never of weights that are no more."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from jc3d.errors import WeightsError
from jc3d.nn.freezable import Freezable


class Summing(Freezable):
    """Its weight's sum is what is computed of it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(6.0).view(2, 3))
        self.inner = nn.Sequential(nn.Linear(1, 1))
        self.computed = 0

    def total(self) -> Tensor:
        return self.of_frozen("total", (self.weight,), self._total)

    def _total(self) -> Tensor:
        self.computed += 1
        return self.weight.sum()


@pytest.fixture
def module() -> Summing:
    return Summing().freeze()


def test_a_frozen_module_is_in_eval_mode_and_learns_nothing(module: Summing) -> None:
    assert module.frozen
    assert not any(part.training for part in module.modules())
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_it_computes_once(module: Summing) -> None:
    assert [float(module.total()) for _ in range(3)] == [15.0] * 3
    assert module.freeze().total() == 15
    assert module.eval().total() == 15
    assert module.computed == 1


def test_a_module_that_is_not_frozen_computes_every_time() -> None:
    module = Summing().eval().requires_grad_(False)
    with torch.no_grad():
        assert module.total() == 15
        module.weight.add_(1)
        assert module.total() == 21
    assert Summing().total().requires_grad


def test_what_is_computed_in_inference_mode_serves_gradients(module: Summing) -> None:
    with torch.inference_mode():
        module.total()
    x = torch.ones((), requires_grad=True)
    (x * module.total()).backward()
    assert x.grad == 15
    assert module.computed == 1


def _write(module: Summing) -> None:
    module.weight.add_(1)


def _write_detached(module: Summing) -> None:
    module.state_dict()["weight"].add_(1)


def _replace(module: Summing) -> None:
    module.weight = nn.Parameter(module.weight + 1, requires_grad=False)


def _replace_data(module: Summing) -> None:
    module.weight.data = module.weight + 1


@pytest.mark.parametrize("write", [_write, _write_detached, _replace, _replace_data])
def test_weights_that_were_written_to_are_refused_until_frozen_again(module: Summing, write) -> None:
    module.total()
    with torch.no_grad():
        write(module)
    for _ in range(2):
        with pytest.raises(WeightsError, match=r"weights: expected those of freeze\(\), got some that were written to"):
            module.total()
    assert module.freeze().total() == 21
    write(module)  # also after a second call
    with pytest.raises(WeightsError, match="weights: expected"):
        module.total()


def test_a_new_weight_where_the_old_one_lay_is_refused(module: Summing) -> None:
    module.total()
    shape = module.weight.shape
    module.weight = None  # freed, so that the next may get its memory
    module.weight = nn.Parameter(torch.zeros(shape), requires_grad=False)
    with pytest.raises(WeightsError, match="weights: expected"):
        module.total()


@pytest.mark.parametrize("assign", [False, True])
def test_loaded_weights_are_computed_anew(module: Summing, assign: bool) -> None:
    module.total()
    other = {name: tensor + 1 for name, tensor in module.state_dict().items()}
    nn.ModuleDict({"a": module}).load_state_dict({f"a.{name}": each for name, each in other.items()}, assign=assign)
    assert module.frozen
    assert module.total() == 21


@pytest.mark.parametrize("assign", [False, True])
def test_loading_a_part_is_seen_by_the_whole(assign: bool) -> None:
    outer = Freezable()
    outer.part = Summing()
    outer.freeze()

    def total() -> float:
        return outer.of_frozen("total", outer.parameters(), lambda: float(outer.part.weight.sum()))

    assert total() == 15
    outer.part.load_state_dict({name: each + 1 for name, each in outer.part.state_dict().items()}, assign=assign)
    assert total() == 21
    with torch.no_grad():
        outer.part.weight.add_(1)
    with pytest.raises(WeightsError, match="weights: expected"):
        total()


def test_converted_weights_are_computed_anew(module: Summing) -> None:
    assert module.total().dtype == torch.float32
    nn.ModuleDict({"a": module}).double()
    assert module.frozen
    assert module.total().dtype == torch.float64


@pytest.mark.parametrize(
    "end",
    [nn.Module.train, nn.Module.requires_grad_, lambda parent: parent["a"].weight.requires_grad_()],
    ids=["train", "requires_grad_", "of a parameter"],
)
def test_learning_ends_the_freezing(module: Summing, end) -> None:
    """Fused optimizers write to weights and leave no trace of it, so nothing is kept of weights that learn."""
    module.total()
    end(nn.ModuleDict({"a": module}))
    assert module.requires_grad_().total() == 15
    optimizer = torch.optim.SGD([module.weight], lr=1.0, fused=True)
    module.total().backward()
    optimizer.step()
    assert module.requires_grad_(False).total() == 9
    assert not module.frozen


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_a_copy_computes_its_own(module: Summing, duplicate) -> None:
    with torch.no_grad():
        module.weight.add_(1)  # so that its count of writes is another than a copy's
    module.total()
    other = duplicate(module)
    assert other.frozen
    with torch.no_grad():
        other.load_state_dict({name: tensor + 1 for name, tensor in module.state_dict().items()})
    assert (module.total(), other.total()) == (21, 27)


def test_freezing_reaches_what_is_inside(module: Summing) -> None:
    outer = Freezable()
    outer.part = nn.Sequential(Summing(), Summing())
    assert outer.freeze().part[1].frozen
    outer.requires_grad_()
    assert not outer.part[1].frozen
    outer.freeze().train()
    assert not outer.part[1].frozen


def test_threads_compute_once(module: Summing) -> None:
    with ThreadPoolExecutor(8) as pool:
        totals = [job.result() for job in [pool.submit(partial(Summing.total, module)) for _ in range(32)]]
    assert {float(total) for total in totals} == {15.0}
    assert module.computed == 1


def test_weights_made_in_inference_mode_are_computed_every_time() -> None:
    with torch.inference_mode():
        module = Summing().freeze()
        assert module.total() == 15
        module.weight.add_(1)
        assert module.total() == 21
