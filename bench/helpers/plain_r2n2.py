"""The network at the paper's widths as plain PyTorch writes it: the peer of every pipeline benchmark.

Written from the paper and the published widths (docs/concepts/models.md), with none of the package's modules.
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


class PlainEncoder(nn.Module):
    """Views (N, 3, 128, 128) to pre-activations of bits (N, K): six convolutions, pooled by two."""

    def __init__(self, widths, kernels=(7, 3, 3, 3, 3, 3)):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(channels, width, kernel_size=kernel, padding=kernel // 2)
            for channels, width, kernel in zip((3, *widths), widths, kernels, strict=False)
        )

    def forward(self, views):
        x = views
        for index, layer in enumerate(self.layers):
            x = F.max_pool2d(layer(x), 2)
            if index < len(self.layers) - 1:
                x = F.leaky_relu(x, SLOPE)
        return x.flatten(1)


def encoder_with_weights_of(model):
    """A plain encoder that computes what one of our ``implicit-*-paper`` models does."""
    plain = PlainEncoder(model.config.encoder_channels).eval()
    ours = [layer.conv for layer in model.encoder.layers]
    for theirs, layer in zip(plain.layers, ours, strict=True):
        theirs.load_state_dict(layer.state_dict())
    return plain


def with_weights_of(model):
    """A plain network that computes what one of our ``*-paper`` models does."""
    plain = PlainR2N2(model.config.code_size).eval()
    layers = [*(block.conv for block in model.decoder.layers), model.decoder.to_logits]
    with torch.no_grad():
        for theirs, ours in (
            (plain.linear, model.gates.linear),
            (plain.conv3d, model.recurrence.conv3d),
            *zip(plain.decoder, layers, strict=True),
        ):
            theirs.weight.copy_(ours.weight)
            theirs.bias.copy_(ours.bias)
    return plain
