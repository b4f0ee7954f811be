"""Two optimizers as one."""

import copy

import pytest
import torch
from torch import nn

from jc3d.train import optim
from jc3d.train.optim import Float32Muon, MuonAdamW, is_matrix


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 12, 3), nn.LeakyReLU(), nn.Flatten(), nn.Linear(12 * 4, 16), nn.Linear(16, 2))


def optimizer(model: nn.Module) -> MuonAdamW:
    parameters = list(model.parameters())
    kinds = [[p for p in parameters if is_matrix(p) is kind] for kind in (True, False)]
    return MuonAdamW(
        {"params": members, "lr": 0.01, "weight_decay": 0.1, "muon": muon}
        for members, muon in zip(kinds, (True, False), strict=True)
    )


def gradients(model: nn.Module, seed: int) -> None:
    model.zero_grad()
    model(torch.randn(4, 3, 4, 4, generator=torch.Generator().manual_seed(seed))).square().sum().backward()


def test_matrices_are_those_with_many_directions() -> None:
    names = {name for name, parameter in network().named_parameters() if is_matrix(parameter)}
    assert names == {"0.weight", "3.weight"}


def test_a_kernel_steps_as_the_matrix_of_its_output_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optim, "has_bfloat16_products", lambda device: True)
    model = network()
    alone = nn.Parameter(model[0].weight.detach().flatten(1).clone())
    muon = torch.optim.Muon([alone], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    both = optimizer(model)
    for seed in range(3):
        gradients(model, seed)
        alone.grad = model[0].weight.grad.flatten(1).clone()
        both.step()
        muon.step()
        assert torch.equal(model[0].weight.flatten(1), alone)


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("shape", [(12, 40), (40, 12)])
def test_products_in_float32_step_like_torchs_in_bfloat16(shape: tuple[int, int], nesterov: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(shape, generator=generator)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    settings = {"lr": 0.01, "weight_decay": 0.1, "nesterov": nesterov}
    steppers = (
        Float32Muon([ours], **settings),
        torch.optim.Muon([theirs], **settings, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(3):
        ours.grad = torch.randn(shape, generator=generator)
        theirs.grad = ours.grad.clone()
        for stepper in steppers:
            stepper.step()
    moved = (theirs - start).norm()
    assert (ours - theirs).norm() < 0.03 * moved
    assert list(steppers[0].state_dict()["state"][0]) == list(steppers[1].state_dict()["state"][0])


def test_a_cpu_without_bfloat16_products_gets_those_of_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for has, kind in ((True, torch.optim.Muon), (False, Float32Muon)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has: {"avx512_bf16": has}, raising=False)
        muon, _ = optimizer(network())._of_group
        assert type(muon) is kind


def test_the_rest_steps_as_with_adamw() -> None:
    model = network()
    rest = [parameter for parameter in model.parameters() if not is_matrix(parameter)]
    copies = [nn.Parameter(parameter.detach().clone()) for parameter in rest]
    adamw = torch.optim.AdamW(copies, lr=0.01, weight_decay=0.1, fused=True)
    both = optimizer(model)
    gradients(model, 0)
    for one, other in zip(copies, rest, strict=True):
        one.grad = other.grad.clone()
    both.step()
    adamw.step()
    assert all(torch.equal(one, other) for one, other in zip(copies, rest, strict=True))


def test_learning_rates_are_those_of_the_groups() -> None:
    model = network()
    both = optimizer(model)
    before = copy.deepcopy(model.state_dict())
    for group in both.param_groups:
        group["lr"] = 0.0
    gradients(model, 0)
    both.step()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_a_parameter_without_gradient_stays() -> None:
    model = network()
    both = optimizer(model)
    gradients(model, 0)
    both.step()
    before = copy.deepcopy(model.state_dict())
    model.zero_grad()
    both.step()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_a_saved_state_goes_on_where_it_was() -> None:
    model = network()
    both = optimizer(model)
    gradients(model, 0)
    both.step()
    twin = network()
    twin.load_state_dict(model.state_dict())
    other = optimizer(twin)
    other.load_state_dict(copy.deepcopy(both.state_dict()))
    for each, stepper in ((model, both), (twin, other)):
        gradients(each, 1)
        stepper.step()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, twin.state_dict()[name]), name
