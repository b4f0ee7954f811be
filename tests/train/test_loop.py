"""Training as a whole: resuming after a kill, several processes, and what a run leaves behind."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

pytest.importorskip("lightning", reason="the train extra is not installed")

import tiny_shards
import train_tiny
from train_tiny import loss_curve

from jc3d.data.samples import ObjectSample
from jc3d.models import load, read_metadata
from jc3d.models.validation_scores import validation_scores
from jc3d.train import TrainConfig, train
from jc3d.train.loop import Training


def test_a_run_leaves_loadable_weights_that_say_where_they_come_from(finished: Path) -> None:
    path = finished / "r2n2-small.safetensors"
    assert load(path).config.name == "r2n2-small"
    info = read_metadata(path)["info"]
    assert info["config"]["seed"] == 0
    (score,) = validation_scores(info)
    assert score[:2] == ("miou", None)
    assert score.mean >= 0
    assert info["steps"] in (2, 4, 6)
    assert len(loss_curve(finished)) == 3


def test_killed_and_resumed_equals_uninterrupted(
    shards: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Training.training_step

    def killed_at_step_5(self: Training, batch: ObjectSample, index: int) -> torch.Tensor:
        if self.global_step == 5:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(Training, "training_step", killed_at_step_5)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(train_tiny.config(shards, tmp_path))
    monkeypatch.undo()
    checkpoint = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 4  # no more than the steps since the last checkpoint are lost
    train(train_tiny.config(shards, tmp_path))
    ours = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    theirs = torch.load(finished / "checkpoints" / "last.ckpt", weights_only=True)
    assert ours["global_step"] == theirs["global_step"] == 6
    for name, tensor in theirs["state_dict"].items():
        torch.testing.assert_close(ours["state_dict"][name], tensor, rtol=0, atol=0, msg=name)


# The draws are equal for equal inputs (tests/nn/test_binarizer.py); after an update the inputs differ by rounding, and
# the curves by up to 0.4 % as measured.
TOLERANCES = {"r2n2-small": 1e-3, "implicit-384": 1e-2, "rnn-small": 1e-2, "direct": 1e-2}


@pytest.fixture(scope="module")
def firm_shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a front is ambiguous, rounding can decide which of its turns fits best: here none is."""
    return tiny_shards.write(tmp_path_factory.mktemp("firm"), ambiguous_fronts=False)


@pytest.fixture(scope="module")
def by_two(firm_shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of the presets' runs by two processes, one run after the other."""
    out, script = tmp_path_factory.mktemp("two"), str(train_tiny.__file__)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script]
    run = subprocess.run(
        [*command, str(firm_shards), str(out), *TOLERANCES], capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return out


@pytest.mark.parametrize("preset", TOLERANCES)
def test_two_processes_follow_the_curve_of_one(preset: str, firm_shards: Path, by_two: Path, tmp_path: Path) -> None:
    train(train_tiny.config(firm_shards, tmp_path, preset))
    # Sums are grouped differently; the first steps turn rounding into up to 1e-4 of the loss at this rate.
    assert loss_curve(by_two / preset) == pytest.approx(loss_curve(tmp_path), rel=TOLERANCES[preset])
    assert load(by_two / preset / f"{preset}.safetensors").config.name == preset


@pytest.mark.parametrize("preset", ["rnn-small", "rnn-small-additive", "sequential", "direct", "direct-recurrent"])
def test_image_codecs_and_joint_models_train(shards: Path, tmp_path: Path, preset: str) -> None:
    path = train(train_tiny.config(shards, tmp_path, preset, steps=4, batch_size=2, ssim_weight=0.1))
    assert load(path).config.name == preset
    scores = {score[:2]: score.mean for score in validation_scores(read_metadata(path)["info"])}
    assert scores["l1", None] > 0
    mious = {key[1]: value for key, value in scores.items() if key[0] == "miou"}
    assert set(mious) == (set() if preset.startswith("rnn") else {1, 8})
    assert all(0 <= value <= 1 for value in mious.values())
    assert len(loss_curve(tmp_path)) == 2


def test_mixed_precision_follows_full_precision(
    shards: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dtypes = set()
    forward = torch.nn.Conv2d.forward

    def watched(self: torch.nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
        y = forward(self, x)
        dtypes.add(y.dtype)
        return y

    monkeypatch.setattr(torch.nn.Conv2d, "forward", watched)
    train(train_tiny.config(shards, tmp_path, precision="bf16-mixed"))
    assert dtypes == {torch.bfloat16}
    assert loss_curve(tmp_path) == pytest.approx(loss_curve(finished), rel=0.03)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU multiplies bfloat16")
@pytest.mark.parametrize("has", [False, True])
def test_a_cpu_that_would_emulate_bfloat16_is_said(has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": has}, raising=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match="data: expected one of meshes=FOLDER, procedural"):
            train(TrainConfig(precision="bf16-mixed", data=("nothing",)))
    assert any("emulates bfloat16" in str(each.message) for each in caught) is not has


def test_a_finished_run_is_validated_again_and_writes_the_same_weights(shards: Path, finished: Path) -> None:
    path = finished / "r2n2-small.safetensors"
    before = load(path)
    info = read_metadata(path)["info"]
    path.unlink()
    assert train(train_tiny.config(shards, finished)) == path
    assert load(path).fingerprint == before.fingerprint
    assert read_metadata(path)["info"] == info


def test_loss_falls(shards: Path, tmp_path: Path) -> None:
    settings = {"steps": 40, "checkpoint_every": 10, "learning_rate": 2e-3, "iou_weight": 0, "pose_weight": 0}
    train(train_tiny.config(shards, tmp_path, val_objects=1, **settings))
    curve = loss_curve(tmp_path)
    assert len(curve) == 4
    assert curve[-1] < 0.7 * curve[0]  # 0.62 measured: the poses of these objects are noise
