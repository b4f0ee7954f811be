"""conv_lstm_gates, forward and backward, against the step in PyTorch, torch.compile of it and PyTorch's fused cell."""

import lstm_gates_peers as peers
import pytest

from jc3d.ops.conv_lstm_gates import OP

# States of the compression network's second layer for a 128×128 view; the last is far beyond any cache.
SHAPES = {batch: (batch, 256, 32, 32) for batch in (1, 6, 64)}


@pytest.mark.parametrize("contender", ["ours", "inplace", "eager", "compile", "fused_lstm_cell"])
@pytest.mark.parametrize("batch", SHAPES)
def bench_conv_lstm_gates(measure, benchmark, device, contender, batch):
    benchmark.group = f"conv_lstm_gates forward {SHAPES[batch]} {device}"
    peers.bench_forward(measure, OP, contender, SHAPES[batch], device)


@pytest.mark.parametrize("contender", ["ours", "eager", "compile"])
@pytest.mark.parametrize("batch", SHAPES)
def bench_conv_lstm_gates_backward(measure, benchmark, device, contender, batch):
    benchmark.group = f"conv_lstm_gates backward {SHAPES[batch]} {device}"
    peers.bench_backward(measure, OP, contender, SHAPES[batch], device)
