"""What a recipe comes to: folders, starts, what is missing and what is done."""

import shutil
from pathlib import Path

import pytest
import train_tiny

from jc3d.train.plan import missing, plan, single, to_render
from jc3d.train.recipes import RECIPES, Phase, Recipe, Rendering


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_a_plan(name: str) -> None:
    runs = plan(name)
    assert [run.phase.name for run in runs] == [phase.name for phase in RECIPES[name].phases]
    assert len({run.config.out for run in runs}) == len(runs)
    assert all(run.config.out.is_relative_to(Path("runs") / name) for run in runs)
    assert all(run.weights == run.config.out / f"{run.config.preset}.safetensors" for run in runs)


def test_phases_go_on_where_the_one_before_ended() -> None:
    first, second, third = plan("implicit-384", out=Path("here"))
    assert first.config.init == ()
    assert second.config.init == ("here/first/implicit-384.safetensors",) == (str(first.weights),)
    assert third.config.init == (str(second.weights),)
    assert second.needs == (Path("shards/procedural"), Path("shards/meshes"))


def test_given_settings_go_before_a_recipes() -> None:
    runs = plan("rnn-small-packaged", steps=1_200, checkpoint_every=400, ssim_weight=0.25, init=("rnn-small",))
    assert [(run.config.steps, run.config.checkpoint_every) for run in runs] == [(1_200, 400)] * 2
    assert all(run.config.task.ssim_weight == 0.25 for run in runs)
    assert runs[0].config.init == ("rnn-small",)
    assert runs[1].config.init == (str(runs[0].weights),)
    with pytest.raises(ValueError, match="iou_weight: expected a setting of the task image"):
        plan("rnn-small", iou_weight=1.0)


@pytest.mark.usefixtures("_elsewhere")
def test_what_is_not_there_is_missing_with_what_it_is() -> None:
    runs = plan("rnn-small-packaged")
    absent = missing(runs)
    assert list(map(str, absent)) == ["start/rnn-small-3.safetensors", "shards/procedural", "shards/meshes"]
    assert absent[Path("start/rnn-small-3.safetensors")].startswith("the rnn-small of commit 0b1625b")
    assert [(each.folder, split) for each, split in to_render("rnn-small-packaged", runs)] == [
        ("shards/procedural", "train"),
        ("shards/procedural", "val"),
        ("shards/meshes", "train"),
        ("shards/meshes", "val"),
    ]
    Path("shards/procedural/train/shard-0000000").mkdir(parents=True)
    assert Path("shards/procedural") not in missing(runs)
    assert [each.folder for each, _ in to_render("rnn-small-packaged", runs)].count("shards/procedural") == 1
    run = single(preset="rnn-small", data=("shards=there@2",), init=("compressor=a.safetensors",))
    assert missing([run]) == {Path("a.safetensors"): "", Path("there"): ""}


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def halfway(shards: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a recipe ``tiny``, whose first phase has been run."""
    pytest.importorskip("lightning", reason="the train extra is not installed")
    config = train_tiny.config(shards, finished)
    settings = {
        name: value for name, value in (vars(config) | vars(config.task)).items() if name not in ("task", "out")
    }
    first, second = Phase("first", settings), Phase("second", {**settings, "data": ("shards=none",)}, after="first")
    monkeypatch.setitem(RECIPES, "tiny", Recipe("", (first, second), (Rendering("procedural", "none", 256),)))
    shutil.copytree(finished, tmp_path / "tiny" / "first")
    return tmp_path / "tiny"


def test_finished_phases_are_done_and_need_nothing(halfway: Path) -> None:
    first, second = plan("tiny", out=halfway)
    assert (first.is_done, second.is_done) == (True, False)
    assert missing([first, second]) == {Path("none"): ""}
    assert missing([first]) == {}
    assert [split for _, split in to_render("tiny", [first, second])] == ["train", "val"]
    assert to_render("tiny", [first]) == []


def test_a_phase_of_other_settings_is_not_gone_on_with(halfway: Path) -> None:
    first, _ = plan("tiny", out=halfway, learning_rate=0.5)
    with pytest.raises(ValueError, match=r"learning_rate: expected 0.0001 as in .*last.ckpt, got 0.5"):
        assert first.is_done
    assert not plan("tiny", out=halfway, learning_rate=0.5, resume=False)[0].is_done
