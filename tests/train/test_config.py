"""Settings of a run: of every run, and of the task of its preset."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jc3d.train import TrainConfig
from jc3d.train.settings import RENAMED
from jc3d.train.tasks.image import ImageSettings
from jc3d.train.tasks.joint import JointSettings
from jc3d.train.tasks.shape import ShapeSettings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps: expected more than 0, got 0"),
        ({"steps": 700}, "steps: expected a multiple of checkpoint_every = 1000, got 700"),
        ({"max_views": 0}, "max_views: expected at least min_views = 1, got 0"),
        ({"precision": "fp8"}, "precision: expected one of 32-true, bf16-mixed, got 'fp8'"),
        ({"preset": "sequential", "teacher_forcing": 1.5}, "teacher_forcing: expected at most 1, got 1.5"),
        ({"gate_lr_scale": 0}, "gate_lr_scale: expected more than 0, got 0"),
        ({"iou_weight": -0.1}, "iou_weight: expected 0 or more, got -0.1"),
        ({"preset": "rnn-small", "min_iterations": 9}, "min_iterations: expected 1 to 8, the most of rnn-small, got 9"),
        ({"preset": "rnn-small", "iterations": 9}, "iterations: expected 0 to 8, the most of rnn-small, got 9"),
        ({"preset": "none"}, "preset: expected one of .*rnn-small.*, got 'none'"),
        ({"frozen": "compressor"}, "frozen: expected a tuple of texts, got 'compressor'"),
        (
            {"preset": "rnn-small", "iterations": 3, "min_iterations": 2},
            "min_iterations: expected 1 where iterations are constant, got 2 and iterations 3",
        ),
    ],
)
def test_bad_settings(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainConfig(**change)


def test_settings_go_to_the_run_or_to_the_task_of_its_preset() -> None:
    config = TrainConfig(preset="rnn-small", steps=2_000, ssim_weight=0.5)
    assert (config.steps, config.out) == (2_000, Path("runs/rnn-small"))
    assert config.task == ImageSettings(ssim_weight=0.5)
    assert TrainConfig().task == ShapeSettings()
    assert TrainConfig(preset="direct", iou_weight=0.1, iterations=3).task == JointSettings(
        iou_weight=0.1, iterations=3
    )
    assert TrainConfig(preset="rnn-small", task=ImageSettings(ssim_weight=0.5), steps=2_000) == config


def test_a_config_is_replaced_in_parts() -> None:
    config = TrainConfig(preset="rnn-small", ssim_weight=0.5)
    assert replace(config, steps=1_000).task == config.task
    assert replace(config, colour_weight=2.0).task == ImageSettings(ssim_weight=0.5, colour_weight=2.0)
    with pytest.raises(ValueError, match="task: expected ShapeSettings, those of r2n2-small, got ImageSettings"):
        replace(config, preset="r2n2-small")


def test_a_setting_of_another_task_is_refused_and_its_tasks_are_named() -> None:
    message = "ssim_weight: expected a setting of the task shape, which trains implicit-384, got one of image and joint"
    with pytest.raises(ValueError, match=message):
        TrainConfig(ssim_weight=0.5)
    with pytest.raises(ValueError, match=r"compression_weight: expected .* image, .* rnn-small, got .* joint"):
        TrainConfig(preset="rnn-small", compression_weight=1.0)
    with pytest.raises(TypeError, match="nonsense: expected a setting of training"):
        TrainConfig(nonsense=1)


@pytest.mark.parametrize("new", RENAMED)
def test_a_setting_is_still_known_by_its_old_name(new: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"{RENAMED[new]}: the argument is named {new} now"):
        config = TrainConfig(preset="direct", **{RENAMED[new]: 0.25})
    assert config == TrainConfig(preset="direct", **{new: 0.25})
    with pytest.raises(TypeError, match=f"{new}: expected one value"):
        TrainConfig(preset="direct", **{new: 0.25, RENAMED[new]: 0.25})


def test_importing_training_imports_neither_torch_nor_lightning() -> None:
    code = """
import sys
import jc3d.train
assert "torch" not in sys.modules
jc3d.train.TrainConfig(preset="rnn-small")
assert "lightning" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
