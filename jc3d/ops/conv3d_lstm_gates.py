"""The pointwise part of the 3D-LSTM of 3D-R2N2, fused: three gates and no output gate."""

from __future__ import annotations

from torch import Tensor

from jc3d.ops._lstm_gates import LstmGates

OP = LstmGates("conv3d_lstm_gates", output_gate=False)


def conv3d_lstm_gates(
    x_gates: Tensor, h_gates: Tensor | None = None, bias: Tensor | None = None, c_prev: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """One step: i, f = σ(a_i), σ(a_f), g = tanh(a_g); c = f · c_prev + i · g; h = tanh(c).

    The gates are a = x_gates + h_gates + bias; 16-bit types are computed in float32 and rounded once. NaN propagates.
    The gradient keeps one tensor of the gates' size and c; second derivatives are not implemented.

    Args:
        x_gates: (N, 3C, *S) pre-activations from the input: the gates input, forget, cell, C channels each. float32,
            float64, bfloat16 or float16; contiguous or channels-last without a copy.
        h_gates: the same from the hidden state; None before the first step.
        bias: (3C,), added to both; None for none.
        c_prev: (N, C, *S) cell state; None before the first step, which is a state of zeros.

    Returns:
        h and c, each (N, C, *S) in the dtype and memory format of ``x_gates``.

    Raises:
        TypeError: not a tensor of one of these dtypes, or dtypes differ.
        ValueError: fewer than two dimensions, channels that 3 does not divide, or shapes or devices that do not fit.

    Source:
        Choy et al. 2016 (3D-R2N2), 3D-LSTM; Golts & Schechner, §II-C.
    """
    return OP(x_gates, h_gates, bias, c_prev)


def conv3d_lstm_gates_(x_gates: Tensor, h_gates: Tensor | None, bias: Tensor | None, c: Tensor) -> Tensor:
    """The same for inference: ``c`` is overwritten, and h is all that is allocated.

    Args:
        x_gates: as for :func:`conv3d_lstm_gates`.
        h_gates: as there.
        bias: as there.
        c: (N, C, *S), the old cell state and then the new one, in the memory format of ``x_gates``.

    Returns:
        h, (N, C, *S).

    Raises:
        TypeError: as there.
        ValueError: as there, or ``c`` has other strides, or a gradient is wanted.
    """
    return OP.inplace(x_gates, h_gates, bias, c)


def conv3d_lstm_gates_ref(
    x_gates: Tensor, h_gates: Tensor | None = None, bias: Tensor | None = None, c_prev: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The op in plain PyTorch: the specification of the kernels, differentiable by autograd."""
    h, c, _ = OP.forward_ref(x_gates, h_gates, bias, c_prev, False)
    return h, c
