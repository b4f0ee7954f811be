"""A training step of the recurrent models, with the fused gates and with their references in plain PyTorch.

Forward, loss and backward; in bfloat16 mixed precision, as the packaged weights were trained, and in float32.
"""

import pytest
import torch

from jc3d import models
from jc3d.losses import compression_loss, occupancy_loss
from jc3d.nn import conv_lstm2d, conv_lstm3d
from jc3d.ops.conv3d_lstm_gates import conv3d_lstm_gates_ref
from jc3d.ops.conv_lstm_gates import conv_lstm_gates_ref

ITERATIONS = 4
VIEWS = {"rnn-small": (16, 1), "sequential": (4, 3), "direct": (4, 3)}  # objects, views of each


@pytest.fixture(params=["fused", "reference"])
def gates(request, monkeypatch):
    if request.param == "reference":
        monkeypatch.setattr(conv_lstm2d, "conv_lstm_gates", conv_lstm_gates_ref)
        monkeypatch.setattr(conv_lstm3d, "conv3d_lstm_gates", conv3d_lstm_gates_ref)
    return request.param


@pytest.mark.parametrize("precision", ["bf16", "float32"])
@pytest.mark.parametrize("model", VIEWS)
def bench_training_step(benchmark, device, gates, model, precision):
    """What `jc3d train` does between two batches, without the optimiser."""
    network = models.create(model).train().to(device)
    objects, views = VIEWS[model]
    torch.manual_seed(0)
    images = torch.rand(objects, views, 3, 128, 128, device=device)
    grid = torch.rand(objects, 32, 32, 32, device=device) > 0.9
    front = torch.zeros(objects, dtype=torch.bool, device=device)

    def step():
        network.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            if model == "rnn-small":
                loss = compression_loss(network(images.flatten(0, 1), ITERATIONS).images, images.flatten(0, 1))
            else:
                logits, decoded = network(images, ITERATIONS)
                loss = 10 * compression_loss(decoded, images.flatten(0, 1)) + occupancy_loss(logits, grid, front, 0.5)
        loss.backward()
        if device == "cuda":
            torch.cuda.synchronize()

    benchmark.group = f"training step, {model}, {ITERATIONS} iterations, {precision}, {device}"
    benchmark.extra_info["contender"] = gates
    benchmark.pedantic(step, warmup_rounds=1, rounds=6)
