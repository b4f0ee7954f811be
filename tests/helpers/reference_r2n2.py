"""3D-LSTM-3 written out plainly, in the checkpoint layout of the first author's implementation (design from [J] §II-C).

Independent of ``jc3d``: no module of ours is imported, nearest-neighbour upsampling and the softmax are explicit.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

WIDTHS = [3, 96, 128, 256, 256, 256, 256]
DECODER = [(128, 128), (128, 128), (128, 64), (64, 32), (32, 2)]

State = dict[str, Tensor]


def random_checkpoint(seed: int) -> tuple[State, State, State]:
    """Three state dicts with random weights of sensible size."""
    generator = torch.Generator().manual_seed(seed)

    def layer(name: str, shape: tuple[int, ...]) -> State:
        fan_in = int(torch.tensor(shape[1:]).prod())
        weight = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        return {f"{name}.weight": weight, f"{name}.bias": 0.1 * torch.randn(shape[0], generator=generator)}

    encoder: State = {}
    for i in range(6):
        kernel = 7 if i == 0 else 3
        encoder |= layer(f"conv{i + 1}", (WIDTHS[i + 1], WIDTHS[i], kernel, kernel))
    encoder |= layer("fc1", (1024, 1024))
    recurrence = layer("convlstm.linear", (3 * 128 * 64, 1024)) | layer("convlstm.conv3d", (384, 128, 3, 3, 3))
    decoder: State = {}
    for i, (inputs, outputs) in enumerate(DECODER):
        decoder |= layer(f"conv3d{i + 1}", (outputs, inputs, 3, 3, 3))
    return encoder, recurrence, decoder


def occupancy(encoder: State, recurrence: State, decoder: State, views: Tensor) -> Tensor:
    """(B, V, 3, 128, 128) -> (B, 32, 32, 32) probabilities of channel 1."""
    h = c = torch.zeros(len(views), 128, 4, 4, 4, dtype=views.dtype)
    for view in views.unbind(1):
        x = view
        for i in range(1, 7):
            weight = encoder[f"conv{i}.weight"]
            x = F.conv2d(x, weight, encoder[f"conv{i}.bias"], padding=weight.shape[-1] // 2)
            x = F.leaky_relu(F.max_pool2d(x, 2))
        x = F.leaky_relu(F.linear(x.flatten(1), encoder["fc1.weight"], encoder["fc1.bias"]))
        gates = F.linear(x, recurrence["convlstm.linear.weight"], recurrence["convlstm.linear.bias"])
        gates = gates.view(-1, 384, 4, 4, 4) + F.conv3d(
            h, recurrence["convlstm.conv3d.weight"], recurrence["convlstm.conv3d.bias"], padding=1
        )
        i_gate, f_gate, g_gate = gates.chunk(3, dim=1)
        c = f_gate.sigmoid() * c + i_gate.sigmoid() * g_gate.tanh()
        h = c.tanh()
    x = h
    for i in range(1, 6):
        if i <= 3:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = F.conv3d(x, decoder[f"conv3d{i}.weight"], decoder[f"conv3d{i}.bias"], padding=1)
        if i < 5:
            x = F.leaky_relu(x)
    return x.softmax(dim=1)[:, 1]
