"""Any number of objects with any number of views, from any thread, in bounded memory."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from jc3d.infer.batch import BatchReconstructor
from jc3d.infer.cuda_graph import ReconstructionGraph
from jc3d.models import R2N2, ImplicitConfig, R2N2Config, create, preset
from jc3d.models.registry import build
from jc3d.ops import pack_bits

TOLERANCE = 1e-6


@pytest.fixture(scope="module", params=["unprojected", "matrix"])
def model(request: pytest.FixtureRequest) -> R2N2:
    torch.manual_seed(0)
    if request.param == "unprojected":
        return create("r2n2-small").freeze()
    narrow = R2N2Config("narrow", code_size=40, hidden_channels=8, up_channels=(20, 16, 16), head_channels=(16,))
    return build(narrow).freeze()


def some_codes(model: R2N2, counts: list[int], seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, model.config.code_size, generator=generator) for count in counts]


def one_by_one(model: R2N2, codes: list[Tensor]) -> Tensor:
    grids = []
    for views in codes:
        state = None
        for view in views:
            state = model.step(view[None], state)
        assert state is not None
        grids.append(model.occupancy(state))
    return torch.cat(grids)


@pytest.mark.parametrize("codes_at_once", [1, 3, 7, 128])
def test_objects_keep_their_order_and_grids(model: R2N2, codes_at_once: int) -> None:
    codes = some_codes(model, [2, 1, 5, 1, 3, 2])
    grids = BatchReconstructor(model, codes_at_once)(codes)
    torch.testing.assert_close(grids, one_by_one(model, codes), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("gates", ["matrix", "unprojected"])
def test_packed_bits_are_the_codes(gates: str) -> None:
    narrow = ImplicitConfig("narrow", code_size=42, hidden_channels=8, up_channels=(20, 16, 16))
    torch.manual_seed(0)
    run = BatchReconstructor(
        build(narrow if gates == "matrix" else replace(preset("implicit-480"), norm=False)).freeze()
    )
    codes = [views.sign() for views in some_codes(run.model, [2, 3])]
    torch.testing.assert_close(run([pack_bits(views) for views in codes]), run(codes), rtol=0, atol=TOLERANCE)
    with pytest.raises(ValueError, match=r"codes\[0\]: expected uint8 \(V, \d+\), got uint8 \(1, 3\)"):
        run([torch.zeros(1, 3, dtype=torch.uint8)])


def test_no_group_has_more_codes_than_it_may(model: R2N2, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    receive = model.receive

    def watched(codes: list[Tensor], *state: object) -> object:
        sizes.append(sum(len(views) for views in codes))
        return receive(codes, *state)

    monkeypatch.setattr(model, "receive", watched)
    BatchReconstructor(model, 4)(some_codes(model, [1, 2, 1, 9, 2, 1]))
    assert sum(sizes) == 16
    assert max(sizes) == 4


def test_receiving_leaves_the_state_it_starts_from(model: R2N2) -> None:
    first, second = some_codes(model, [2, 2])
    state = model.receive([first])
    before = [part.clone() for part in state]
    model.receive([second], state)
    for was, part in zip(before, state, strict=True):
        assert torch.equal(was, part)


def test_threads_share_a_model(model: R2N2) -> None:
    fresh = build(model.config)
    fresh.load_state_dict(model.state_dict())
    run = BatchReconstructor(fresh.freeze())  # packs its weights while several threads ask for them
    batches = [some_codes(model, [1 + index % 3, 2], seed=index) for index in range(8)]
    with ThreadPoolExecutor(4) as pool:
        grids = list(pool.map(run, batches))
    for ours, codes in zip(grids, batches, strict=True):
        torch.testing.assert_close(ours, one_by_one(model, codes), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("counts", [[3, 2, 2, 1], [2], [1, 1, 1]])
def test_a_plan_masks_what_has_no_view(model: R2N2, counts: list[int]) -> None:
    plan = ReconstructionGraph(model, 4)
    for seed in range(2):  # nothing of the last call is left
        codes = some_codes(model, counts, seed)
        torch.testing.assert_close(plan(codes), one_by_one(model, codes), rtol=0, atol=TOLERANCE)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that this PyTorch can use")
def test_cuda_graphs_give_the_grids_of_single_steps(model: R2N2) -> None:
    on_gpu = build(model.config)
    on_gpu.load_state_dict(model.state_dict())
    on_gpu.to("cuda").freeze()
    run = BatchReconstructor(on_gpu, 8)
    for seed in range(2):
        codes = [views.cuda() for views in some_codes(model, [2, 1, 5, 1, 3, 9], seed)]
        torch.testing.assert_close(run(codes), one_by_one(on_gpu, codes), rtol=0, atol=1e-5)


def test_nothing_gives_nothing(model: R2N2) -> None:
    assert BatchReconstructor(model)([]).shape == (0, 32, 32, 32)


def test_bad_input(model: R2N2) -> None:
    size = model.config.code_size
    with pytest.raises(ValueError, match="codes_at_once: expected at least 1, got 0"):
        BatchReconstructor(model, 0)
    with pytest.raises(ValueError, match="model: expected one that is frozen"):
        BatchReconstructor(build(model.config))
    good = torch.randn(1, size)
    with pytest.raises(ValueError, match=r"codes\[1\]: expected at least one view, got none"):
        BatchReconstructor(model)([good, torch.randn(0, size)])
    with pytest.raises(ValueError, match=rf"codes\[1\]: expected float \(V, {size}\), got float32 \(2, 3\)"):
        BatchReconstructor(model)([good, torch.randn(2, 3)])
    with pytest.raises(ValueError, match=r"codes\[0\]: expected float .*, got uint8"):
        BatchReconstructor(model)([torch.zeros(1, size, dtype=torch.uint8)])
    with pytest.raises(ValueError, match="a view at least"):
        model.receive([torch.randn(0, size)])
    with pytest.raises(ValueError, match="state: expected that of the 1 objects of codes, got one of 2"):
        model.receive([good], model.receive([good, good]))
    with pytest.raises(ValueError, match=r"most views first, got views \[1, 2\]"):
        model.receive(some_codes(model, [1, 2]))
