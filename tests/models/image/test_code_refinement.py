"""Code refinement: better bits at the sender's expense."""

import pytest
import torch
from tiny_compressor import images, make

from jc3d.losses import compression_loss
from jc3d.models import RnnCompressor
from jc3d.models.image.code_refinement import refine_code


@pytest.fixture(scope="module")
def model() -> RnnCompressor:
    return make()


def test_refinement_finds_better_bits_and_changes_nothing_for_the_receiver(model: RnnCompressor) -> None:
    x = images(1, 48, 64)
    encoded, refined = model.compress(x, 3), model.compress(x, 3, refinement_steps=10)
    assert refined.shape == encoded.shape
    errors = []
    for packed in (encoded, refined):
        decoded = torch.stack([model.decompress(packed[:, :n], (48, 64)) for n in (1, 2, 3)])
        errors.append(float(compression_loss(decoded[:1], x, 1.0)))
        assert torch.equal(model.compress(x, 2, 10), refined[:, :2])  # a prefix, and the same every time
    assert errors[1] < errors[0]


def test_refinement_never_makes_an_iteration_worse() -> None:
    """The best bits seen are kept, the encoder's own among them."""
    target = torch.zeros(1, 3, 16, 16)
    encoded = torch.full((1, 2, 2, 2), -0.5)
    flat = lambda bits: (bits.mean() + 1).expand(1, 3, 16, 16) / 2  # noqa: E731  least at all -1, where it starts
    assert torch.equal(refine_code(encoded, flat, target, 5), torch.full_like(encoded, -1.0))
    away = refine_code(-encoded, flat, target, 50)
    assert float(flat(away).mean()) < float(flat(torch.ones_like(encoded)).mean())


def test_bad_arguments(model: RnnCompressor) -> None:
    with pytest.raises(ValueError, match="refinement_steps: expected 0 or more, got -1"):
        model.compress(images(1, 16, 16), 1, -1)
