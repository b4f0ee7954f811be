"""Sequential and direct: what reads what, and that a rate not sent is not read."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from jc3d.errors import WeightsError
from jc3d.models import PRESETS, Direct, DirectConfig, Joint, SequentialJoint, create, fold_norms, load, save_weights
from jc3d.ops import unpack_bits

NAMES = ["sequential", "direct", "direct-recurrent"]


def views(objects: int, count: int) -> Tensor:
    coarse = torch.rand(objects * count, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    smooth = nn.functional.interpolate(coarse, size=(128, 128), mode="bicubic").clamp(0, 1)
    return smooth.unflatten(0, (objects, count))


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest) -> Joint:
    return loud(request.param)


def loud(name: str) -> Joint:
    """Weights large enough that another view, bit or rate makes another grid (fresh ones hardly tell views apart)."""
    model = create(name, seed=1)
    assert isinstance(model, Joint)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.dim() > 1 and not key.startswith("compressor.encoder"):
                parameter.mul_(2)
    return model.freeze()


def test_shapes(model: Joint) -> None:
    with torch.no_grad():
        logits, images = model(views(2, 3), 2)
    assert logits.shape == (2, 2, 32, 32, 32)
    assert images.shape == (2, 6, 3, 128, 128)


def test_bits_alone_give_the_grid_of_the_training_path(model: Joint) -> None:
    """encode → packed bits → shape_inputs → receive is what `forward` computes in eval mode."""
    x = views(1, 2)
    packed = model.compressor.compress(x[0], 3)
    grid = model.reconstruction.reconstruct(model.shape_inputs(packed)[None])
    with torch.no_grad():
        expected, other = (torch.softmax(model(each, 3).logits, dim=1)[:, 1] for each in (x, x.flip(-1)))
    # Other batches and threads sum in another order: rounding, far from what mirrored views make of the grid.
    difference = float((grid - expected).abs().max())
    assert difference < 1e-3
    assert float((other - expected).abs().max()) > 20 * difference


def test_logits_at_several_rates_are_those_of_each(model: Joint) -> None:
    x = views(1, 2)
    with torch.no_grad():
        (low, high), images = model.logits_at(x, [1, 3])
        torch.testing.assert_close(low, model(x, 1).logits, atol=1e-5, rtol=0)
        torch.testing.assert_close(high, model(x, 3).logits, atol=1e-5, rtol=0)
    assert len(images) == 3


def test_sequential_reads_the_decoded_views() -> None:
    model = create("sequential", seed=1).freeze()
    assert isinstance(model, SequentialJoint)
    packed = model.compressor.compress(views(1, 2)[0], 2)
    decoded = model.compressor.decompress(packed, (128, 128))
    assert torch.equal(model.shape_inputs(packed), model.reconstruction.encode(decoded))


def test_direct_reads_bits_and_zeros_for_what_was_not_sent() -> None:
    model = create("direct", seed=1).freeze()
    assert isinstance(model, Direct)
    assert not any("encoder" in name for name, _ in model.reconstruction.named_parameters())  # no E3D
    packed = model.compressor.compress(views(1, 2)[0], 3)
    codes = model.shape_inputs(packed)
    assert codes.shape == (2, 8 * 1024)
    assert torch.equal(codes[:, : 3 * 1024], unpack_bits(packed, 1024).flatten(1))
    assert not codes[:, 3 * 1024 :].any()
    # The maps of the iterations are channels of one map: what the network before the unprojection reads.
    maps = codes.view(2, 8 * 16, 8, 8)
    assert torch.equal(maps[0, 16:32], model.compressor.code_maps(packed[0], (128, 128))[1])


def test_recurrent_fusion_is_a_step_an_iteration() -> None:
    model = create("direct-recurrent", seed=1).freeze()
    packed = model.compressor.compress(views(1, 2)[0], 3)
    codes = model.shape_inputs(packed)
    assert codes.shape == (2 * 3, 1024)
    assert torch.equal(codes, unpack_bits(packed, 1024).flatten(0, 1))  # view by view, iteration by iteration
    whole = model.reconstruction.receive([codes])
    state = None
    for code in codes:
        state = model.reconstruction.step(code[None], state)
    torch.testing.assert_close(whole.h, state.h)


@pytest.mark.parametrize("name", NAMES)
def test_all_parameters_learn_from_both_losses(name: str) -> None:
    """[J] §III: the loss is optimized with respect to all model parameters jointly."""
    model = create(name).train()
    logits, images = model(views(1, 2), 2)
    logits.square().mean().backward(retain_graph=True)
    silent = {key for key, parameter in model.named_parameters() if parameter.grad is None}
    # The occupancy loss reaches the compressor, and of direct its decoder, too: the next residual comes from there.
    assert not any(key.startswith(("compressor.stem", "compressor.encoder", "reconstruction")) for key in silent)
    (images - views(1, 2)[0]).abs().mean().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_direct_config_counts_what_enters() -> None:
    config = PRESETS["direct"]
    assert isinstance(config, DirectConfig)
    with pytest.raises(
        ValueError, match="code_size: expected 1024, the bits that enter with 'recurrent' fusion, got 8192"
    ):
        replace(config, fusion="recurrent")


@pytest.mark.parametrize("name", NAMES)
def test_weights_file_and_fingerprint(name: str, tmp_path) -> None:
    model = create(name, seed=3)
    path = tmp_path / f"{name}.safetensors"
    save_weights(path, model, {"steps": 0})
    loaded = load(path)
    assert loaded.config == model.config.with_norm(False)
    assert loaded.fingerprint != model.fingerprint  # float16, and norms folded
    packed = model.eval().compressor.half().float().freeze().compress(views(1, 1)[0], 2)
    assert torch.equal(loaded.compressor.compress(views(1, 1)[0], 2), packed)
    changed = copy.deepcopy(loaded)
    with torch.no_grad():
        changed.compressor.output.bias.add_(1.0)
    assert changed.freeze().fingerprint != loaded.fingerprint


def test_norms_of_a_joint_model_fold() -> None:
    model = create("direct-recurrent", seed=1)
    with torch.no_grad():
        for _ in range(2):  # statistics other than 0 and 1
            model.train()(views(2, 2), 2)
        model.eval()
        expected = model(views(1, 2), 2).logits
        folded = fold_norms(model)
        torch.testing.assert_close(folded(views(1, 2), 2).logits, expected, atol=1e-4, rtol=1e-4)
    assert not any("running_mean" in name for name in folded.state_dict())


def test_writing_to_a_part_never_keeps_the_fingerprint() -> None:
    """Codes are never decoded with other weights, however these got there."""
    model = create("direct", seed=1).freeze()
    before = model.fingerprint
    model.compressor.load_state_dict(create("direct", seed=2).compressor.state_dict())
    after = model.fingerprint
    assert after != before
    with torch.no_grad():
        model.reconstruction.gates.pose.linear.bias.add_(1.0)
    with pytest.raises(WeightsError, match="weights: expected those of freeze"):
        model.fingerprint  # noqa: B018
    assert model.freeze().fingerprint not in (before, after)
