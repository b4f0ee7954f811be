"""Checkpoints of the reference layout give the same occupancies as an independent plain implementation."""

import pytest
import reference_r2n2
import torch

from jc3d.errors import WeightsError
from jc3d.models import from_reference


@pytest.fixture(scope="module")
def checkpoint():
    return reference_r2n2.random_checkpoint(seed=0)


def test_occupancies_agree_to_1e_5(checkpoint) -> None:
    model = from_reference(*checkpoint)
    views = torch.rand(2, 3, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = reference_r2n2.occupancy(*checkpoint, views)
    codes = model.encode(views.flatten(0, 1)).view(2, 3, -1)
    ours = model.reconstruct(codes)
    assert expected.std() > 0.05  # random weights that leave the output flat would compare nothing
    assert (ours - expected).abs().max() < 1e-5


def test_missing_and_unexpected_tensors_are_named(checkpoint) -> None:
    encoder, recurrence, decoder = checkpoint
    renamed = {key.replace("conv6", "conv7"): value for key, value in encoder.items()}
    with pytest.raises(WeightsError, match=r"encoder: missing tensors \['conv6.bias', 'conv6.weight'\], unexpected"):
        from_reference(renamed, recurrence, decoder)


def test_wrong_shape_is_named(checkpoint) -> None:
    encoder, recurrence, decoder = checkpoint
    cut = {**decoder, "conv3d5.weight": decoder["conv3d5.weight"][:1]}
    with pytest.raises(WeightsError, match=r"decoder\.to_logits\.weight: expected shape \(2, 32, 3, 3, 3\)"):
        from_reference(encoder, recurrence, cut)
