"""Modules that CPU kernels run once they are frozen: the same function."""

import pytest
import torch
from torch import Tensor, nn

from jc3d.nn import DownsampleConv2d, GridConv3d, UpsampleConv3d
from jc3d.nn.packed_weight import PackingModule
from jc3d.ops import is_compiled

OPS = {GridConv3d: "winograd_conv3d", UpsampleConv3d: "upsample_conv3d", DownsampleConv2d: "conv2d_max_pool"}


def make(kind: type[nn.Module], inputs: int, outputs: int) -> PackingModule:
    torch.manual_seed(0)
    if kind is DownsampleConv2d:
        return DownsampleConv2d(inputs, outputs, 3, 2, "pool", norm=False, activation=True)
    module = kind(inputs, outputs)
    assert isinstance(module, PackingModule)
    return module


def data(kind: type[nn.Module], channels: int) -> Tensor:
    return torch.randn(2, channels, 6, 4) if kind is DownsampleConv2d else torch.randn(2, channels, 5, 4, 3)


@pytest.mark.parametrize("kind", OPS)
@pytest.mark.parametrize("out_channels", [2, 20])
def test_inference_follows_training(kind: type[nn.Module], out_channels: int) -> None:
    module, x = make(kind, 6, out_channels), data(kind, 6)

    def check() -> None:
        expected = module.requires_grad_()(x).detach()
        module.freeze()
        with torch.inference_mode():
            for _ in range(2):
                torch.testing.assert_close(module(x), expected, rtol=1e-4, atol=1e-5)

    check()
    with torch.no_grad():
        next(module.parameters()).mul_(-2.0)
    check()
    module.load_state_dict(make(kind, 6, out_channels).state_dict())
    check()


@pytest.mark.parametrize("kind", OPS)
def test_a_kernel_runs_in_a_frozen_module_alone(kind: type[nn.Module]) -> None:
    module, x = make(kind, 6, 20), data(kind, 6)
    weight = next(parameter for name, parameter in module.named_parameters() if name.endswith("weight"))

    def runs() -> bool:
        return module.runs_kernel(OPS[kind], x, weight)

    with torch.no_grad():
        assert not runs()
        module.eval().requires_grad_(False)
        assert not runs()
        module.freeze()
        assert runs() == is_compiled(OPS[kind], "cpu")
        with torch.autocast("cpu", torch.bfloat16):
            assert not runs()
        with torch.enable_grad():
            assert not runs()
        module.double()
        assert not runs()


@pytest.mark.parametrize("kind", OPS)
def test_a_weight_that_was_written_to_is_refused(kind: type[nn.Module]) -> None:
    module, x = make(kind, 6, 20).freeze(), data(kind, 6)
    if not is_compiled(OPS[kind], "cpu"):
        pytest.skip(f"no compiled kernel of {OPS[kind]}")
    with torch.no_grad():
        module(x)
        next(module.parameters()).mul_(2)
        with pytest.raises(ValueError, match="weights: expected those of freeze"):
            module(x)


@pytest.mark.parametrize("kind", OPS)
def test_fused_optimizers_leave_no_old_weight(kind: type[nn.Module]) -> None:
    """They write to a weight and its version stays."""
    module, x = make(kind, 4, 32), data(kind, 4)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1, fused=True)
    with torch.no_grad():
        module.freeze()(x)
    for _ in range(2):
        for parameter in module.parameters():  # the module is not told
            parameter.requires_grad_()
        module(x).square().sum().backward()
        optimizer.step()
        expected = module(x).detach()
        with torch.no_grad():
            torch.testing.assert_close(module(x), expected)
            torch.testing.assert_close(module.freeze()(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", OPS)
def test_weights_made_in_inference_mode(kind: type[nn.Module]) -> None:
    with torch.inference_mode():
        module, x = make(kind, 3, 32).freeze(), data(kind, 3)
        assert module(x).isfinite().all()


@pytest.mark.parametrize("kind", OPS)
def test_other_precisions_stay_what_they_are(kind: type[nn.Module]) -> None:
    module, x = make(kind, 4, 32).freeze(), data(kind, 4)
    with torch.no_grad():
        assert module.double()(x.double()).dtype == torch.float64
        with torch.autocast("cpu", torch.bfloat16):
            assert module.float()(x).dtype == torch.bfloat16
        torch.testing.assert_close(module(x), module.double()(x.double()).float(), rtol=1e-4, atol=1e-5)
