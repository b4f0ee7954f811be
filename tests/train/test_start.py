"""What a run starts from: weights of other models, as far as they fit, and parts that stay."""

from pathlib import Path

import pytest
import torch

pytest.importorskip("lightning", reason="the train extra is not installed")

import train_tiny

from jc3d.data.samples import ObjectSample
from jc3d.models import create, fold_norms, load, read_metadata
from jc3d.train import train
from jc3d.train.loop import Training
from jc3d.train.sampling import TrainingData
from jc3d.train.start import initial_norm_batch, take


def test_training_goes_on_from_a_weights_file(
    shards: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = finished / "r2n2-small.safetensors"
    modes = []
    step = Training.training_step

    def watched(self: Training, batch: ObjectSample, index: int) -> torch.Tensor:
        modes.append(all(module.training for module in self.model.modules()))
        return step(self, batch, index)

    monkeypatch.setattr(Training, "training_step", watched)
    train(train_tiny.config(shards, tmp_path, init=(str(start),), steps=2, learning_rate=1e-6))
    assert modes == [True, True]
    ours, theirs = load(tmp_path / "r2n2-small.safetensors"), load(start)
    for name, tensor in theirs.named_parameters():
        if name.startswith("recurrence"):  # elsewhere the statistics of the norms have moved
            torch.testing.assert_close(ours.get_parameter(name), tensor, rtol=1e-2, atol=1e-4)


def test_training_starts_from_what_fits_of_another_architecture(shards: Path, finished: Path, tmp_path: Path) -> None:
    """Float codes to begin with, bits to go on."""
    start = finished / "r2n2-small.safetensors"
    preset = "implicit-384"
    path = train(train_tiny.config(shards, tmp_path, init=(str(start),), preset=preset, steps=2, learning_rate=1e-6))
    count = len(fold_norms(create(preset)).state_dict())
    assert read_metadata(path)["info"]["init"] == f"{count} of {count} tensors of {start}"
    with pytest.raises(ValueError, match=r"init: expected weights that fit rnn-small, got .* of which none"):
        train(train_tiny.config(shards, tmp_path / "other", init=(str(start),), preset="rnn-small"))


def test_parts_of_a_joint_model_start_from_other_weights(shards: Path, finished: Path, tmp_path: Path) -> None:
    """R2N2's weights as they are, and the learning rate of that part alone made smaller."""
    start = finished / "r2n2-small.safetensors"
    settings = {"preset": "sequential", "init": (f"reconstruction={start}",), "steps": 2, "batch_size": 2}
    path = train(train_tiny.config(shards, tmp_path, learning_rate=1e-3, reconstruction_lr_scale=1e-4, **settings))
    ours, theirs, fresh = load(path), load(start), create("sequential", 0)
    count = len(theirs.state_dict())
    assert read_metadata(path)["info"]["init"] == f"{count} of {count} tensors of reconstruction={start}"
    for name, tensor in theirs.named_parameters():
        torch.testing.assert_close(ours.reconstruction.get_parameter(name), tensor, rtol=1e-2, atol=1e-4)
    moved = (ours.compressor.expand.weight - fresh.compressor.expand.weight).abs().max()
    assert float(moved) > 1e-4
    with pytest.raises(ValueError, match="init: expected a part among compressor, reconstruction, got 'encoder'"):
        train(train_tiny.config(shards, tmp_path / "other", **(settings | {"init": (f"encoder={start}",)})))


def test_a_frozen_part_stays_and_codes_as_in_inference(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[tuple[bool, bool]] = []
    step = Training.training_step

    def watched(self: Training, batch: ObjectSample, index: int) -> torch.Tensor:
        modes.append((self.model.compressor.binarizer.training, self.model.reconstruction.training))
        return step(self, batch, index)

    monkeypatch.setattr(Training, "training_step", watched)
    settings = {"preset": "direct", "init": ("direct",), "steps": 4, "batch_size": 2, "learning_rate": 1e-3}
    path = train(train_tiny.config(shards, tmp_path, frozen=("compressor",), **settings))
    assert modes == [(False, True)] * 4  # after a validation, too
    before, after = load("direct"), load(path)
    for name, tensor in after.compressor.named_parameters():
        assert torch.equal(tensor, before.compressor.get_parameter(name)), name
    weight = "gates.trunk.0.conv.weight"
    assert not torch.equal(after.reconstruction.get_parameter(weight), before.reconstruction.get_parameter(weight))
    with pytest.raises(ValueError, match="frozen: expected a part among compressor, reconstruction, got 'encoder'"):
        train(train_tiny.config(shards, tmp_path / "other", frozen=("encoder",), **settings))


@pytest.mark.parametrize(("sources", "objects"), [(1, 32), (3, 30), (33, 33)])
def test_first_norms_see_every_source(shards: Path, tmp_path: Path, sources: int, objects: int) -> None:
    config = train_tiny.config(shards, tmp_path, data=(f"shards={shards}",) * sources, max_views=1)
    assert len(initial_norm_batch(config, TrainingData(config)).views) == objects


def test_a_kernel_with_more_inputs_ignores_the_others(tmp_path: Path) -> None:
    """Direct reads eight codes where implicit reads one: at first it reads the first."""
    model, source = create("direct"), create("implicit-384").freeze()
    source = fold_norms(source)
    assert take(model.reconstruction, source) == len(model.reconstruction.state_dict())
    weight = model.reconstruction.gates.trunk[0].conv.weight
    assert torch.equal(weight[:, :16], source.gates.trunk[0].conv.weight)
    assert not weight[:, 16:].any()
