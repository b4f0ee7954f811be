"""Modules whose weights are packed for inference: the same function, and never an old weight."""

import pytest
import torch
from torch import nn

from jc3d.nn import GridConv3d, UpsampleConv3d


@pytest.mark.parametrize("make", [GridConv3d, UpsampleConv3d])
@pytest.mark.parametrize("out_channels", [2, 20])
def test_inference_follows_training(make: type[nn.Module], out_channels: int) -> None:
    torch.manual_seed(0)
    layer, x = make(6, out_channels), torch.randn(2, 6, 5, 4, 3)

    def check() -> None:
        expected = layer.requires_grad_()(x).detach()
        layer.requires_grad_(False)
        with torch.inference_mode():
            for _ in range(2):
                torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)

    check()
    with torch.no_grad():
        layer.weight.mul_(-2.0)  # written to
    check()
    layer.load_state_dict(make(6, out_channels).state_dict())
    check()
    layer.weight = nn.Parameter(torch.randn_like(layer.weight))  # replaced
    check()


@pytest.mark.parametrize("make", [GridConv3d, UpsampleConv3d])
def test_fused_optimizers_leave_no_old_weight(make: type[nn.Module]) -> None:
    """They write to a weight and its version stays."""
    layer, x = make(4, 32), torch.randn(1, 4, 4, 4, 4)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1, fused=True)
    with torch.no_grad():
        layer.requires_grad_(False)(x)
    for _ in range(2):
        layer.requires_grad_()(x).square().sum().backward()
        optimizer.step()
        expected = layer(x).detach()
        with torch.no_grad():
            assert torch.equal(layer(x), expected)
            torch.testing.assert_close(layer.requires_grad_(False)(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("make", [GridConv3d, UpsampleConv3d])
def test_a_new_weight_where_the_old_one_lay(make: type[nn.Module]) -> None:
    layer, x = make(4, 32).requires_grad_(False), torch.randn(1, 4, 4, 4, 4)
    with torch.no_grad():
        for _ in range(20):
            shape = layer.weight.shape
            layer.weight = None  # freed, so that the next may get its memory
            layer.weight = nn.Parameter(torch.randn(shape), requires_grad=False)
            with torch.enable_grad():
                expected = layer(x)
            torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-4)
            layer.bfloat16().float()
            with torch.enable_grad():
                expected = layer(x)
            torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("make", [GridConv3d, UpsampleConv3d])
def test_weights_made_in_inference_mode(make: type[nn.Module]) -> None:
    with torch.inference_mode():
        layer, x = make(3, 32).requires_grad_(False), torch.randn(1, 3, 4, 4, 4)
        assert layer(x).isfinite().all()


@pytest.mark.parametrize("make", [GridConv3d, UpsampleConv3d])
def test_other_precisions_stay_what_they_are(make: type[nn.Module]) -> None:
    layer, x = make(4, 32).requires_grad_(False), torch.randn(1, 4, 4, 4, 4)
    with torch.no_grad():
        assert layer.double()(x.double()).dtype == torch.float64
        with torch.autocast("cpu", torch.bfloat16):
            assert layer.float()(x).dtype == torch.bfloat16
