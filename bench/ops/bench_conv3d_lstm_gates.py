"""conv3d_lstm_gates, forward and backward, against the step in plain PyTorch and torch.compile of it."""

import lstm_gates_peers as peers
import pytest

from jc3d.ops.conv3d_lstm_gates import OP

# The paper's recurrent cube; the last batch is far beyond any cache.
SHAPES = {batch: (batch, 128, 4, 4, 4) for batch in (1, 6, 64, 4096)}


@pytest.mark.parametrize("contender", ["ours", "inplace", "eager", "compile"])
@pytest.mark.parametrize("batch", SHAPES)
def bench_conv3d_lstm_gates(measure, benchmark, device, contender, batch):
    benchmark.group = f"conv3d_lstm_gates forward {SHAPES[batch]} {device}"
    peers.bench_forward(measure, OP, contender, SHAPES[batch], device)


@pytest.mark.parametrize("contender", ["ours", "eager", "compile"])
@pytest.mark.parametrize("batch", SHAPES)
def bench_conv3d_lstm_gates_backward(measure, benchmark, device, contender, batch):
    benchmark.group = f"conv3d_lstm_gates backward {SHAPES[batch]} {device}"
    peers.bench_backward(measure, OP, contender, SHAPES[batch], device)
