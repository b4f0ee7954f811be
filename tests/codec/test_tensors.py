"""Codes to tensors and back, exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sample_codes import FINGERPRINT, float_samples, samples

from jc3d.codec import Codes
from jc3d.errors import CodesError


@pytest.mark.parametrize("bits", [1, 7, 8, 9, 820, 1024])
@pytest.mark.parametrize("iterations", [1, 3])
def test_round_trip_of_bits(bits: int, iterations: int) -> None:
    signs = torch.randint(0, 2, (4, iterations * bits), generator=torch.Generator().manual_seed(bits)) * 2.0 - 1
    codes = Codes.from_tensor(signs, fingerprint=FINGERPRINT, iterations=iterations)
    read = Codes.from_bytes(codes.to_bytes())
    assert read == codes
    assert hash(read) == hash(codes)
    assert (read.num_views, read.iterations, read.code_bits) == (4, iterations, bits)
    assert torch.equal(read.to_tensor(), signs)


def test_round_trip_of_floats_is_bit_exact() -> None:
    values = torch.tensor([[0.0, -0.0, 1e-45, 3.4e38], [1 / 3, -1.0, 2.0, 1e-3]])
    codes = Codes.from_tensor(values, fingerprint=FINGERPRINT, binary=False)
    assert torch.equal(Codes.from_bytes(codes.to_bytes()).to_tensor().view(torch.int32), values.view(torch.int32))


def test_bits_agree_with_numpy_packbits() -> None:
    signs = torch.randint(0, 2, (3, 37), generator=torch.Generator().manual_seed(1)) * 2.0 - 1
    codes = Codes.from_tensor(signs, fingerprint=FINGERPRINT)
    assert np.array_equal(codes.bits[0], np.packbits(signs.numpy() > 0, axis=-1))


def test_to_tensor_takes_a_dtype() -> None:
    assert samples().to_tensor(torch.bfloat16).dtype == torch.bfloat16
    assert float_samples().to_tensor(torch.float64).dtype == torch.float64


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(0, 8),
        torch.ones(2, 0),
        torch.ones(8),
        torch.ones(1, 2, 8),
        torch.zeros(1, 8),
        torch.full((1, 8), float("nan")),
        torch.tensor([[1.0, -1.0, 0.5]]),
    ],
    ids=["zero views", "zero bits", "1-D", "3-D", "zeros", "NaN", "fraction"],
)
def test_from_tensor_refuses(tensor: torch.Tensor) -> None:
    with pytest.raises(CodesError, match="codes: expected"):
        Codes.from_tensor(tensor, fingerprint=FINGERPRINT)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_float_codes_must_be_finite(value: float) -> None:
    with pytest.raises(CodesError, match="number at byte 32: expected a finite float32"):
        Codes.from_tensor(torch.tensor([[1.0, value]]), fingerprint=FINGERPRINT, binary=False)
