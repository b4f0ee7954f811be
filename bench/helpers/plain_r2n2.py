"""The network at the paper's widths as plain PyTorch writes it: the peer of every pipeline benchmark.

Written from the paper and the published widths (docs/architecture.md), with none of the package's modules.
"""

import torch
from torch import nn
from torch.nn import functional as F

SLOPE = 0.01


class PlainR2N2(nn.Module):
    """Codes (B, V, K) to probabilities (B, 32, 32, 32): a linear layer, a 3D-LSTM, five 3³ convolutions."""

    def __init__(self, code_size=1024, hidden=128, widths=(128, 128, 64, 32, 2)):
        super().__init__()
        self.hidden = hidden
        self.linear = nn.Linear(code_size, 3 * hidden * 64)
        self.conv3d = nn.Conv3d(hidden, 3 * hidden, kernel_size=3, padding=1)
        self.decoder = nn.ModuleList(
            nn.Conv3d(channels, width, kernel_size=3, padding=1)
            for channels, width in zip((hidden, *widths), widths, strict=False)
        )

    def step(self, code, h, c):
        gates = self.linear(code).view(-1, 3 * self.hidden, 4, 4, 4) + self.conv3d(h)
        i, f, g = gates.chunk(3, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.tanh(c), c

    def decode(self, h):
        for index, layer in enumerate(self.decoder):
            if index < 3:
                h = F.interpolate(h, scale_factor=2.0)
            h = layer(h)
            if index < 4:
                h = F.leaky_relu(h, SLOPE)
        return h.softmax(dim=1)[:, 1]

    def forward(self, codes):
        h = c = codes.new_zeros(len(codes), self.hidden, 4, 4, 4)
        for code in codes.unbind(1):
            h, c = self.step(code, h, c)
        return self.decode(h)


def with_weights_of(model):
    """A plain network that computes what one of our ``*-paper`` models does."""
    plain = PlainR2N2(model.config.code_size).eval()
    layers = [layer for layer in model.decoder.layers if hasattr(layer, "weight")]
    with torch.no_grad():
        for theirs, ours in (
            (plain.linear, model.gates.linear),
            (plain.conv3d, model.recurrence.conv3d),
            *zip(plain.decoder, layers, strict=True),
        ):
            theirs.weight.copy_(ours.weight)
            theirs.bias.copy_(ours.bias)
    return plain
