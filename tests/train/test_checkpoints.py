"""Which checkpoints a run goes on from."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("lightning", reason="the train extra is not installed")

import train_tiny

from jc3d.train import train
from jc3d.train.checkpoints import step_of, to_resume


def test_resuming_with_other_settings_is_refused(shards: Path, finished: Path) -> None:
    with pytest.raises(ValueError, match=r"learning_rate: expected 0.0001 as in .*last.ckpt, got 0.05"):
        train(train_tiny.config(shards, finished, learning_rate=0.05))


def test_a_damaged_checkpoint_is_named(shards: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match=r"resume: .*last.ckpt is damaged"):
        train(train_tiny.config(shards, tmp_path))


def test_a_run_goes_on_in_a_folder_that_was_moved(shards: Path, finished: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(finished, moved)
    assert train(train_tiny.config(shards, moved)) == moved / "r2n2-small.safetensors"


def test_resuming_with_other_settings_of_the_task_is_refused(shards: Path, finished: Path) -> None:
    with pytest.raises(ValueError, match=r"iou_weight: expected 0.5 as in .*last.ckpt, got 0.25; give another folder"):
        train(train_tiny.config(shards, finished, iou_weight=0.25))


def test_a_run_of_an_older_release_is_not_resumed(shards: Path, finished: Path, tmp_path: Path) -> None:
    config = train_tiny.config(shards, tmp_path)
    state = torch.load(finished / "checkpoints" / "last.ckpt", weights_only=True)
    task = state["jc3d"]["config"]["task"]
    task["gate_rate"] = task.pop("gate_lr_scale")  # its name in the release before
    (tmp_path / "checkpoints").mkdir()
    torch.save(state, tmp_path / "checkpoints" / "last.ckpt")
    with pytest.raises(
        ValueError, match=r"resume: expected a run of this release, got .*last.ckpt of an older one, .* gate_lr_scale"
    ):
        to_resume(config)


def test_a_checkpoint_keeps_its_config_as_json(shards: Path, finished: Path) -> None:
    config = torch.load(finished / "checkpoints" / "last.ckpt", weights_only=True)["jc3d"]["config"]
    assert json.loads(json.dumps(config)) == config
    assert config["data"] == [f"shards={shards}"]
    assert config["out"] == str(finished)
    assert config["task"] == {"gate_lr_scale": 0.1, "iou_weight": 0.5, "pose_weight": 0.2, "teacher_forcing": 1.0}


def test_settings_that_change_no_result_may_differ(shards: Path, finished: Path) -> None:
    config = train_tiny.config(shards, finished, workers=3, threads=2, progress=True)
    path = to_resume(config)
    assert path == finished / "checkpoints" / "last.ckpt"
    assert step_of(path) == config.steps
    assert to_resume(replace(config, resume=False)) is None
    assert step_of(None) == 0
