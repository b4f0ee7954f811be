"""Norms folded into convolutions and put back: the same function, whatever the model is made of."""

from typing import Any

import pytest
import torch

from jc3d.models import create, fold_norms, unfold_norms
from jc3d.nn.conv_block import ConvBlock

SMALL = ["implicit-384", "r2n2-small"]


@pytest.mark.parametrize("name", SMALL)
def test_folded_norms_are_the_same_function(name: str) -> None:
    model = create(name).train()
    views = torch.rand(4, 2, 3, 128, 128)
    with torch.no_grad():
        for _ in range(3):
            model(views)
        folded = fold_norms(model.eval())
        assert not any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in folded.modules())
        torch.testing.assert_close(folded.encoder(views[0]), model.encoder(views[0]), rtol=1e-4, atol=1e-5)
        codes = torch.randn(2, 1024)
        torch.testing.assert_close(folded.gates(codes), model.gates(codes), rtol=1e-4, atol=1e-4)
        state = torch.randn(2, 32, 8, 8, 8), torch.rand(2, 32, 16, 16, 16)
        torch.testing.assert_close(folded.decoder(*state), model.decoder(*state), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_unfolded_norms_are_the_same_function_and_normalise(name: str) -> None:
    folded = fold_norms(create(name).eval())
    views = torch.rand(4, 5, 3, 128, 128)
    model = unfold_norms(folded, lambda model: model(views))
    assert model.config.norm
    with torch.no_grad():
        torch.testing.assert_close(model(views), folded(views), rtol=1e-3, atol=1e-4)
        again = fold_norms(model)
        for key, tensor in folded.state_dict().items():
            torch.testing.assert_close(again.state_dict()[key], tensor, rtol=1e-3, atol=1e-5)
        before = model.encoder.layers[0].norm.running_mean.clone()
        model.train()(views * 0.5)
    assert not torch.equal(model.encoder.layers[0].norm.running_mean, before)


def test_every_norm_needs_input() -> None:
    folded = fold_norms(create("r2n2-small").eval())
    with pytest.raises(ValueError, match="run: expected input for 13 norms, got some for 7"):
        unfold_norms(folded, lambda model: model.codes_of_views(torch.rand(1, 3, 128, 128)))


def test_a_model_without_norms_gives_an_equal_copy() -> None:
    model = create("rnn-small")
    folded = fold_norms(model)
    assert folded.fingerprint == model.eval().fingerprint
    assert folded.stem.weight.data_ptr() != model.stem.weight.data_ptr()


@pytest.mark.parametrize("name", ["implicit-384", "direct-recurrent", "r2n2-paper"])
def test_every_norm_belongs_to_a_block(name: str) -> None:
    """Norms outside of blocks would stay when the others are folded."""
    model: Any = create(name)
    norms = {m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)}
    assert norms == {m.norm for m in model.modules() if isinstance(m, ConvBlock) and m.norm in norms}
    assert bool(norms) == model.config.norm
