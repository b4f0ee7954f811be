"""Tasks are found by their place or registered; models say which trains them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import train_tiny
from torch import Tensor

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample
from jc3d.models import PRESETS, RnnCompressor, create, preset, read_metadata
from jc3d.models.validation_scores import validation_scores
from jc3d.train import TrainConfig
from jc3d.train.settings import TaskSettings, setting
from jc3d.train.tasks import registry
from jc3d.train.tasks.image import ImageTask
from jc3d.train.tasks.registry import make_task, register_task, settings_of, task_name, tasks
from jc3d.train.tasks.task import Losses, ScoreRow, Task, images_of, mean_score


@dataclass(frozen=True)
class ToySettings(TaskSettings):
    """Settings of :class:`ToyTask`.

    Attributes:
        toy_power: of the differences.
    """

    toy_power: float = setting(2.0, above=0)


class ToyTask(Task[RnnCompressor, ToySettings]):
    """The last image only, by a power of its differences."""

    def loss(self, model: RnnCompressor, batch: ObjectSample, rng: Random) -> Losses:
        images = images_of(batch).flatten(0, 1)
        difference = (model(images, 1 + rng.integers(0, 2)).images[-1] - images).abs()
        return Losses(difference.pow(self.settings.toy_power).mean(), {"toy-mean": difference.mean()})

    def scores(self, model: RnnCompressor, batch: ObjectSample) -> list[ScoreRow]:
        images = images_of(batch).flatten(0, 1)
        return [ScoreRow("toy", float((model(images, 1).images[-1] - images).abs().mean()), len(images))]

    def selection(self, rows: Sequence[ScoreRow]) -> float:
        return -mean_score(rows, "toy")

    def lr_scale(self, name: str, parameter: Tensor) -> float:
        return 0.5 if name.startswith("stem.") else 1.0

    def calibrate(self, model: RnnCompressor, batch: ObjectSample, rng: Random | None = None) -> None:
        model(images_of(batch).flatten(0, 1), 1)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that trains RnnCompressor, known to nobody but this file."""
    tasks()
    monkeypatch.setattr(registry, "_tasks", dict(registry._tasks))
    register_task("toy", ToySettings)(ToyTask)
    monkeypatch.setattr(RnnCompressor, "task", "toy", raising=False)


def test_every_preset_has_a_task() -> None:
    assert {task_name(preset(name)) for name in PRESETS} == {"shape", "image", "joint"} == set(tasks())
    assert isinstance(make_task(settings_of("image")(), create("rnn-small")), ImageTask)


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="task: expected a new name, got 'shape', which is registered already"):
        register_task("shape", ToySettings)(ToyTask)
    with pytest.raises(ValueError, match="task: expected one of image, joint, shape, got 'none'"):
        settings_of("none")


def test_a_preset_that_no_task_trains_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    message = r"preset: expected one that a task trains \(image, joint, shape\), got rnn-small, whose family names "
    monkeypatch.setattr(RnnCompressor, "task", "painting")
    with pytest.raises(ValueError, match=message + "the task 'painting'"):
        TrainConfig(preset="rnn-small")
    monkeypatch.delattr(RnnCompressor, "task")
    with pytest.raises(ValueError, match=message + "no task"):
        TrainConfig(preset="rnn-small")


@pytest.mark.usefixtures("toy")
def test_a_task_that_is_registered_elsewhere_has_settings_and_options() -> None:
    assert TrainConfig(preset="rnn-small", toy_power=1.5).task == ToySettings(1.5)
    with pytest.raises(ValueError, match="toy_power: expected more than 0, got -1"):
        TrainConfig(preset="rnn-small", toy_power=-1)
    with pytest.raises(ValueError, match=r"toy_power: expected a setting of the task shape, .*, got one of toy"):
        TrainConfig(toy_power=1.5)
    from jc3d.cli.train import train_options

    (option,) = (each for each in train_options() if each.name == "toy_power")
    assert (option.default, option.annotation.__metadata__[0].help) == (2.0, "Of the differences.")
    assert option.annotation.__metadata__[0].rich_help_panel == "Of the task toy"


@pytest.mark.usefixtures("toy")
def test_the_loop_trains_it(shards: Path, tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="the train extra is not installed")
    from jc3d.train import train

    config = train_tiny.config(shards, tmp_path, "rnn-small", steps=2, batch_size=1, val_objects=2, toy_power=1.5)
    path = train(config)
    assert path.is_file()
    info = read_metadata(path)["info"]
    (score,) = validation_scores(info)
    assert (score.measure, score.iterations) == ("toy", None)
    assert 0 < score.mean < 1
    assert info["config"]["task"] == {"toy_power": 1.5}
    assert torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)["global_step"] == 2
