"""What a step sees: a function of the seed and the step, in one process or several."""

from pathlib import Path

import pytest
import torch
import train_tiny

from jc3d.data.counter_rng import Random
from jc3d.data.sources.spec import SourceSpec
from jc3d.train import TrainConfig
from jc3d.train.sampling import StepSampler, TrainingData, own_share, validation_loader


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("photos", "data: expected one of meshes=FOLDER, procedural, r2n2=FOLDER, shards=FOLDER, got 'photos'"),
        ("meshes", "data: expected"),
        ("procedural@0", "data: expected a positive weight after @"),
        ("procedural@-2", "data: expected a positive weight after @"),
        ("shards=/nowhere@x", "shards: expected shard-\\* folders in /nowhere@x/train, got none"),
        ("shards=/nowhere", "shards: expected shard-\\* folders in /nowhere/train, got none"),
    ],
)
def test_bad_sources(tmp_path: Path, data: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingData(TrainConfig(out=tmp_path, data=(data,)))


@pytest.fixture
def data(shards: Path, tmp_path: Path) -> TrainingData:
    return TrainingData(train_tiny.config(shards, tmp_path, data=(f"shards={shards}@3", "procedural")))


def test_a_step_sees_the_same_whenever_it_is_asked(data: TrainingData, shards: Path, tmp_path: Path) -> None:
    keys = data.keys_of_step(5)
    assert keys == data.keys_of_step(5)
    assert keys != data.keys_of_step(6)
    other = TrainingData(train_tiny.config(shards, tmp_path, data=data.config.data, seed=1))
    assert keys != other.keys_of_step(5)


def test_steps_have_one_number_of_views_each_and_sources_their_shares(data: TrainingData) -> None:
    steps = [data.keys_of_step(step) for step in range(100)]
    assert all(len({key.views for key in keys}) == 1 for keys in steps)
    assert {keys[0].views for keys in steps} == {1, 2, 3}
    from_shards = sum(key.source == 0 for keys in steps for key in keys)
    assert 260 < from_shards < 340  # three quarters of 400
    assert all(0 <= key.item < len(data.sources[key.source]) for keys in steps for key in keys)


def test_processes_share_the_keys_of_a_step(data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(StepSampler(data, lambda: 4))
    assert whole == [*data.keys_of_step(4), *data.keys_of_step(5)]  # from the steps that are done on, an epoch of two
    monkeypatch.setenv("WORLD_SIZE", "2")
    shares = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        sampler = StepSampler(data, lambda: 4)
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1]) == 4
    assert [*shares[0][:2], *shares[1][:2], *shares[0][2:], *shares[1][2:]] == whole
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ValueError, match="batch_size: expected a multiple of the 3 processes, got 4"):
        StepSampler(data, lambda: 0)


def test_processes_share_the_batches_for_the_norms(data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    def take() -> list[tuple[torch.Tensor, float]]:
        # What follows in the stream draws the rest of a step, so that processes must agree on it.
        return [(batch.grid, rng.uniform()) for batch, rng in data.calibration_batches()]

    whole = take()
    assert len(whole) == data.calibration_steps == 2
    monkeypatch.setenv("WORLD_SIZE", "2")
    shares = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        shares.append(take())
    for (grid, draw), (first, first_draw), (second, second_draw) in zip(whole, *shares, strict=True):
        assert torch.equal(torch.cat((first, second)), grid)
        assert draw == first_draw == second_draw


def test_processes_validate_all_objects_together(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, spec = train_tiny.config(shards, tmp_path, val_objects=5), SourceSpec.parse(f"shards={shards}")
    whole = [batch.grid for batch in validation_loader(config, spec)]
    assert [len(grid) for grid in whole] == [5]
    monkeypatch.setenv("WORLD_SIZE", "2")
    shares = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        shares.append(torch.cat([batch.grid for batch in validation_loader(config, spec)]))
    assert torch.equal(shares[0], whole[0][0::2])
    assert torch.equal(shares[1], whole[0][1::2])
    monkeypatch.setenv("RANK", "5")
    monkeypatch.setenv("WORLD_SIZE", "6")
    with pytest.raises(ValueError, match="val_objects: expected one for each of the 6 processes at least, got 5"):
        validation_loader(config, spec)


def test_processes_share_one_draw_for_the_objects_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(0)
    whole = own_share(6, rng.uniform)
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, expected in (("0", whole[:3]), ("1", whole[3:])):
        monkeypatch.setenv("RANK", rank)
        rng = Random(0)
        assert own_share(3, rng.uniform) == expected
