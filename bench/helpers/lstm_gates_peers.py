"""What the benchmarks of `conv_lstm_gates` and `conv3d_lstm_gates` share: the peers, and the bytes that must move."""

import pytest
import torch
import torch._functorch.config
from compiled import compiled

# A compiled backward may overwrite what the forward kept, and then runs once only; here it is timed many times.
torch._functorch.config.donated_buffer = False


def eager(gates, output_gate):
    """The step as one writes it in PyTorch."""

    def step(x_gates, h_gates, bias, c_prev):
        a = x_gates + h_gates + bias.view(-1, *[1] * (x_gates.dim() - 2))
        i, f, g, *o = a.chunk(gates, dim=1)
        c = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o[0]) * torch.tanh(c) if output_gate else torch.tanh(c)
        return h, c

    return step


def fused_lstm_cell(bias):
    """PyTorch's own fused LSTM cell, CUDA alone: as one row a pixel, for channels-last gates of a 1×1 map."""
    no_bias = torch.zeros_like(bias)

    def step(x_gates, h_gates, bias, c_prev):
        rows = [x.permute(0, *range(2, x.dim()), 1).flatten(0, -2) for x in (x_gates, h_gates, c_prev)]
        return torch._thnn_fused_lstm_cell(rows[0], rows[1], rows[2], bias, no_bias)[:2]

    return step


def arguments(shape, gates, device, requires_grad=False):
    """x_gates, h_gates, bias, c_prev for states of a shape."""
    torch.manual_seed(0)
    batch, channels, *space = shape
    wide = (batch, gates * channels, *space)
    made = (torch.randn(wide), torch.randn(wide), torch.randn(gates * channels), torch.randn(shape))
    return [x.to(device).requires_grad_(requires_grad) for x in made]


def forward_bytes(shape, gates, itemsize=4):
    """Both pre-activations and c_prev read, h and c written."""
    return torch.Size(shape).numel() * (2 * gates + 3) * itemsize


def backward_bytes(shape, gates, itemsize=4):
    """The kept gates, c_prev, c and the gradients of h and c read, those of the gates and of c_prev written."""
    return torch.Size(shape).numel() * (2 * gates + 5) * itemsize


def check_equal(results, expected, tolerance=1e-5):
    for ours, theirs in zip(results, expected, strict=True):
        torch.testing.assert_close(ours, theirs.reshape(ours.shape), rtol=tolerance, atol=tolerance * 10)


def bench_forward(measure, op, contender, shape, device):
    step = eager(op.count, op.output_gate)
    args = arguments(shape, op.count, device)
    with torch.no_grad():
        expected = step(*args)
        if contender == "fused_lstm_cell":
            if device != "cuda":
                pytest.skip("CUDA alone")
            args = [x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x for x in args]
            run = fused_lstm_cell(args[2])
            check_equal([x.permute(0, 2, 3, 1).flatten(0, -2) for x in expected], run(*args))
        elif contender == "inplace":
            run, cell = op.inplace, args[3].clone()
            check_equal([run(*args[:3], cell), cell], expected)
        else:
            run = compiled(step) if contender == "compile" else {"ours": op, "eager": step}[contender]
            check_equal(run(*args), expected)
        measure(run, *args, num_bytes=forward_bytes(shape, op.count))


def bench_backward(measure, op, contender, shape, device):
    step = eager(op.count, op.output_gate)
    run = compiled(step) if contender == "compile" else {"ours": op, "eager": step}[contender]
    leaves = arguments(shape, op.count, device, requires_grad=True)
    grads = [torch.randn(shape, device=device) for _ in range(2)]

    def backward(states):
        return torch.autograd.grad(states, leaves, grads, retain_graph=True)

    states = run(*leaves)
    *ours, bias, last = backward(states)
    *theirs, _, exact_last = backward(step(*leaves))
    check_equal([*ours, last], [*theirs, exact_last])
    # A sum over all pixels of all samples: against float64, beside the size of what is added.
    added = theirs[0].double().transpose(0, 1).flatten(1)
    assert ((bias - added.sum(1)).abs() / added.abs().sum(1)).max() < 1e-5
    measure(backward, states, num_bytes=backward_bytes(shape, op.count))
