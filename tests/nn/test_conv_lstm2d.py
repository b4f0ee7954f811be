"""The convolutional LSTM against torch's cell where they are the same thing, and its shapes."""

import pytest
import torch

from jc3d.nn import ConvLSTM2d, MapState


def test_one_pixel_is_torchs_lstm_cell() -> None:
    torch.manual_seed(0)
    layer, cell = ConvLSTM2d(5, 7, kernel_size=1).double(), torch.nn.LSTMCell(5, 7).double()
    with torch.no_grad():
        cell.weight_ih.copy_(layer.conv_x.weight.flatten(1))
        cell.weight_hh.copy_(layer.conv_h.weight.flatten(1))
        assert layer.conv_x.bias is not None
        cell.bias_ih.copy_(layer.conv_x.bias)
        cell.bias_hh.zero_()
    state, expected = None, None
    for _ in range(3):
        x = torch.randn(2, 5, dtype=torch.float64)
        state = layer(x[:, :, None, None], state)
        expected = cell(x, expected)
    assert state is not None
    torch.testing.assert_close(state.h.flatten(1), expected[0])
    torch.testing.assert_close(state.c.flatten(1), expected[1])


def test_no_state_is_a_zero_state() -> None:
    layer = ConvLSTM2d(3, 4, hidden_kernel_size=3)
    x, zero = torch.randn(2, 3, 6, 8), torch.zeros(2, 4, 6, 8)
    for ours, theirs in zip(layer(x), layer(x, MapState(zero, zero)), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("channels_last", [False, True])
def test_stride_shrinks_and_gradients_reach_everything(channels_last: bool) -> None:
    layer = ConvLSTM2d(3, 4, stride=2)
    x = torch.randn(2, 3, 8, 12, requires_grad=True)
    format_ = torch.channels_last if channels_last else torch.contiguous_format
    state = layer(x.contiguous(memory_format=format_))
    state = layer(x.contiguous(memory_format=format_), state)
    assert state.h.shape == state.c.shape == (2, 4, 4, 6)
    state.h.sum().backward()
    assert x.grad is not None
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in layer.parameters())


def test_mixed_precision() -> None:
    layer = ConvLSTM2d(3, 4)
    x = torch.randn(2, 3, 8, 8)
    exact = layer(x, layer(x))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        state = layer(x, layer(x))
    assert state.h.dtype == torch.bfloat16
    torch.testing.assert_close(state.h.float(), exact.h, rtol=0, atol=0.05)


@pytest.mark.parametrize("name", ["kernel_size", "hidden_kernel_size"])
def test_even_kernels_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected an odd number, got 4"):
        ConvLSTM2d(3, 4, **{name: 4})
