"""Encoding is batch-invariant: bit-exact for any batch and any number of threads."""

from collections.abc import Iterator

import pytest
import torch

from jc3d.models import Implicit, create
from jc3d.models.shape.r2n2 import R2N2
from jc3d.ops import pack_bits


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def views() -> torch.Tensor:
    torch.manual_seed(0)
    views = torch.rand(32, 3, 128, 128)
    views[0], views[1] = 0, 1  # flat images: many equal pre-activations
    return views


@pytest.fixture(scope="module", params=["r2n2-small", "implicit-384", "implicit-384-paper", "r2n2-paper"])
def model(request: pytest.FixtureRequest) -> R2N2:
    return create(request.param).freeze()


@pytest.fixture(scope="module")
def codes(model: R2N2, views: torch.Tensor) -> torch.Tensor:
    return torch.cat([model.encode(view.unsqueeze(0)) for view in views])


def test_batch_of_32_equals_batches_of_1(model: R2N2, views: torch.Tensor, codes: torch.Tensor, threads: int) -> None:
    assert torch.equal(model.encode(views), codes)


@pytest.mark.parametrize("preset", ["implicit-384", "implicit-480", "implicit-480-paper"])
def test_packed_codes_are_the_codes(views: torch.Tensor, threads: int, preset: str) -> None:
    model = create(preset).eval()
    assert isinstance(model, Implicit)
    assert torch.equal(model.compress(views[:4])[:, 0], pack_bits(model.encode(views[:4])))
    assert model.compress(views[:0]).shape == (0, 1, (model.config.code_size + 7) // 8)
    assert model.encode(views[:0]).shape == (0, model.config.code_size)


def test_order_and_layout_do_not_matter(model: R2N2, views: torch.Tensor, codes: torch.Tensor, threads: int) -> None:
    strided = torch.stack((views, views), dim=-1)[..., 0].flip(0)
    assert torch.equal(model.encode(strided), codes.flip(0))


def test_near_zero_pre_activations_do_not_flip(views: torch.Tensor, threads: int) -> None:
    """Pre-activations centred on zero, channel by channel: the hardest case for a sign."""
    model = create("implicit-384").eval()
    last = model.encoder.layers[-1].norm
    with torch.no_grad():
        mean = model.encoder(views[2:3]).mean((0, 2, 3))
        last.running_mean.copy_(mean / last.weight * torch.sqrt(last.running_var + last.eps))
    alone = torch.cat([model.encode(view.unsqueeze(0)) for view in views])
    assert 0.2 < (alone[2:] > 0).float().mean() < 0.8
    assert torch.equal(model.encode(views), alone)


def test_kernels_compute_the_network(views: torch.Tensor) -> None:
    model = create("implicit-384-paper").eval()
    assert isinstance(model, Implicit)
    with torch.no_grad():
        expected = model.pre_activations(views[:3])
        model.freeze()
        assert model.encoder.in_kernels(views)
        ours = model.pre_activations(views[:3])
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5 * expected.abs().max().item())


def test_autocast_around_the_call_changes_nothing(model: R2N2, views: torch.Tensor, codes: torch.Tensor) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model.encode(views[:2]), codes[:2])


def test_thread_count_is_restored(model: R2N2, views: torch.Tensor, threads: int) -> None:
    model.encode(views[:1])
    assert torch.get_num_threads() == threads


def test_training_mode_is_refused(views: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="model: expected eval mode"):
        create("implicit-384").train().encode(views[:1])


def test_wrong_shape_is_refused(model: R2N2) -> None:
    with pytest.raises(ValueError, match=r"views: expected \(N, 3, 128, 128\), got \(3, 128, 128\)"):
        model.encode(torch.rand(3, 128, 128))


def test_views_one_by_one_equal_views_at_once(model: R2N2, codes: torch.Tensor) -> None:
    state = None
    for code in codes[:5]:
        state = model.step(code.unsqueeze(0), state)
    at_once = model.reconstruct(codes[:5].unsqueeze(0))
    torch.testing.assert_close(model.occupancy(state), at_once, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 0, 1024), (1, 2, 1000), (2, 1024)])
def test_bad_codes_are_refused(model: R2N2, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="codes: expected"):
        model.reconstruct(torch.ones(shape))
