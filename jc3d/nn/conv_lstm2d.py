"""A convolutional LSTM on images: the recurrent layer of the compression networks."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jc3d.ops import conv_lstm_gates


class MapState(NamedTuple):
    """Hidden and cell state, each (N, C, H, W)."""

    h: Tensor
    c: Tensor


class ConvLSTM2d(nn.Module):
    """One step an iteration: input and hidden state enter by convolutions ([J] eqs. 3-8, [V] §3.2).

    The gates are input, forget, cell, output: c = f·c + i·g, h = o·tanh(c).

    Args:
        in_channels: of the input.
        channels: C, of the states.
        kernel_size: odd, of the input's convolution.
        stride: of the input's convolution: the states are so many times smaller than the input.
        hidden_kernel_size: odd, of the hidden state's convolution.
    """

    def __init__(
        self, in_channels: int, channels: int, kernel_size: int = 3, stride: int = 1, hidden_kernel_size: int = 1
    ) -> None:
        super().__init__()
        for name, size in (("kernel_size", kernel_size), ("hidden_kernel_size", hidden_kernel_size)):
            if size < 1 or size % 2 == 0:
                raise ValueError(f"{name}: expected an odd number, got {size}")
        gates = 4 * channels
        self.channels = channels
        self.conv_x = nn.Conv2d(in_channels, gates, kernel_size, stride, padding=kernel_size // 2)
        self.conv_h = nn.Conv2d(channels, gates, hidden_kernel_size, padding=hidden_kernel_size // 2, bias=False)
        self._open_gates()

    def _open_gates(self) -> None:
        """Initial weights that let a signal through.

        With torch's own each layer makes it about four times smaller (two gates at one half), and a stack of six has
        hundreds of steps to learn before it says anything. Gates begin open (bias 1), and the input at twice the
        variance-keeping scale makes up for what they still hold back.
        """
        assert self.conv_x.bias is not None
        fan_in = self.conv_x.weight[0].numel()
        nn.init.normal_(self.conv_x.weight, std=2.0 / math.sqrt(fan_in))
        gate_biases = (1.0, 1.0, 0.0, 1.0)  # input, forget, cell, output
        with torch.no_grad():
            for bias, value in zip(self.conv_x.bias.chunk(4), gate_biases, strict=True):
                bias.fill_(value)

    def forward(self, x: Tensor, state: MapState | None = None) -> MapState:
        """One step.

        Args:
            x: (N, in_channels, H, W).
            state: the state after the steps before; None for the first (zeros).

        Returns:
            The new state, (N, C, H / stride, W / stride) each.
        """
        x_gates = F.conv2d(x, self.conv_x.weight, None, self.conv_x.stride, self.conv_x.padding)
        # Under autocast parameters, gates and an old state can differ in precision: that of the gates counts.
        dtype = x_gates.dtype
        assert self.conv_x.bias is not None
        bias = self.conv_x.bias.to(dtype)
        if state is None:
            return MapState(*conv_lstm_gates(x_gates, None, bias))
        return MapState(*conv_lstm_gates(x_gates, self.conv_h(state.h).to(dtype), bias, state.c.to(dtype)))
