"""``jc3d train``: options that are made from the settings, recipes, and dry runs."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import tiny_shards
import train_tiny

import jc3d.train
import jc3d.train.duration
from jc3d.cli import main
from jc3d.cli.train import train_options
from jc3d.train import TrainConfig
from jc3d.train.duration import Duration
from jc3d.train.recipes import RECIPES, Phase, Recipe
from jc3d.train.settings import RENAMED
from jc3d.train.tasks.registry import tasks

OWNERS = {"": TrainConfig, **{name: entry.settings for name, entry in tasks().items()}}
FIELDS = [
    pytest.param(owner, each, id=f"{owner or 'run'}-{each.name}")
    for owner, settings in OWNERS.items()
    for each in dataclasses.fields(settings)
    if each.name != "task"
]


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    return {option.name: option for option in train_options()}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """The runs that the command would train."""
    configs: list[TrainConfig] = []
    monkeypatch.setattr(jc3d.train, "train", lambda config: configs.append(config) or config.out, raising=False)
    return configs


@pytest.mark.parametrize(("owner", "field"), FIELDS)
def test_every_setting_has_an_option(owner: str, field: dataclasses.Field[Any], shown: dict[str, Any]) -> None:
    option = shown[field.name]
    kind, info = get_args(option.annotation)
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    assert option.default == default
    assert info.help.endswith(".")
    assert info.help[0].isupper()
    assert not info.hidden
    declared = get_type_hints(OWNERS[owner])[field.name]
    assert kind == (list[str] if get_origin(declared) is tuple else declared)
    assert owner in (info.rich_help_panel or "")
    assert bool(info.rich_help_panel) is bool(owner)


def test_every_option_is_a_setting_or_an_old_name_of_one(shown: dict[str, Any]) -> None:
    names = {field.values[1].name for field in FIELDS}
    assert set(shown) == names | set(RENAMED.values())
    assert all(get_args(shown[old].annotation)[1].hidden for old in RENAMED.values())


def test_the_help_shows_them_by_task(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["train", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for words in (
        "Of the tasks image and joint",
        "Of the tasks joint and shape",
        "Of the task joint",
        "-o, --out <path>",
        "[default: (runs/PRESET)]",
        "--resume / --no-resume",
        "32-true|bf16-mixed",
        "--teacher-forcing",
        "--recipe",
        "--dry-run",
        *RECIPES,
    ):
        assert words in text
    assert not any(code in text for code in ("jc3d.", "[J]", "``", "written alike"))
    assert not any(f"--{old.replace('_', '-')} " in text for old in RENAMED.values())


def test_it_passes_what_is_given_and_nothing_else(seen: list[TrainConfig]) -> None:
    words = [
        "--preset",
        "r2n2-small",
        "--steps",
        "1000",
        "--data",
        "procedural@2",
        "--no-resume",
        "--iou-weight",
        "0.25",
    ]
    assert main(["train", *words]) == 0
    settings = {"steps": 1000, "data": ("procedural@2",), "resume": False, "iou_weight": 0.25}
    assert seen == [TrainConfig(preset="r2n2-small", out=Path("runs/r2n2-small"), **settings)]


def test_given_defaults_are_given(seen: list[TrainConfig], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--preset", "rnn-small", "--iou-weight", "0.5"]) == 2  # the default, but of another task
    assert "iou_weight: expected a setting of the task image, which trains rnn-small" in capsys.readouterr().err
    assert seen == []


@pytest.mark.parametrize("new", RENAMED)
def test_old_names_are_hidden_options(new: str, seen: list[TrainConfig], capsys: pytest.CaptureFixture[str]) -> None:
    flags = {name: "--" + name.replace("_", "-") for name in (RENAMED[new], new)}
    assert main(["train", "--preset", "direct", flags[RENAMED[new]], "0.25"]) == 0
    assert seen == [TrainConfig(preset="direct", **{new: 0.25})]
    assert capsys.readouterr().err == f"jc3d: {flags[RENAMED[new]]} is named {flags[new]} now\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--precision", "8"], "precision"),
        (["--steps", "many"], "--steps"),
        (["--nonsense"], "No such option"),
        (["--steps", "700"], "steps: expected a multiple of checkpoint_every = 1000, got 700"),
        (["--recipe", "none"], "recipe: expected one of r2n2-small, implicit-384"),
        (["--recipe", "rnn-small", "--pose-weight", "1"], "pose_weight: expected a setting of the task image"),
    ],
)
def test_bad_settings(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]


@pytest.fixture
def tiny_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Two phases of a few steps."""
    config = train_tiny.config(tiny_shards.write(tmp_path / "shards"), tmp_path)
    names = ("data", "val_data", "batch_size", "val_objects", "workers", "threads", "progress")
    settings = {name: getattr(config, name) for name in names}
    settings |= {"preset": "rnn-small", "steps": 2, "checkpoint_every": 2, "max_views": 1, "iterations": 1}
    phases = (Phase("first", settings), Phase("second", {**settings, "learning_rate": 1e-4}, after="first"))
    monkeypatch.setitem(RECIPES, "tiny", Recipe("A tiny one.", phases))
    monkeypatch.chdir(tmp_path)
    return "tiny"


def test_a_recipe_runs_phase_by_phase_and_goes_on_after_a_kill(
    tiny_recipe: str, seen: list[TrainConfig], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lightning", reason="the train extra is not installed")
    from jc3d.train.loop import train

    def killed_in_the_second(config: TrainConfig) -> Path:
        seen.append(config)
        if config.init:
            raise KeyboardInterrupt
        return train(config)

    monkeypatch.setattr(jc3d.train, "train", killed_in_the_second)
    assert main(["train", "--recipe", tiny_recipe, "--seed", "7"]) == 130
    assert [config.init for config in seen] == [(), ("runs/tiny/first/rnn-small.safetensors",)]
    assert {config.seed for config in seen} == {7}
    monkeypatch.setattr(jc3d.train, "train", lambda config: seen.append(config) or train(config))
    capsys.readouterr()
    assert main(["train", "--recipe", tiny_recipe, "--seed", "7"]) == 0
    shown = capsys.readouterr().out
    assert "tiny, phase 1 of 2: first\nruns/tiny/first/rnn-small.safetensors: there already" in shown
    assert [config.out for config in seen[2:]] == [Path("runs/tiny/second")]
    assert Path("runs/tiny/second/rnn-small.safetensors").is_file()


def test_a_recipe_says_what_it_needs_before_it_begins(
    seen: list[TrainConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--recipe", "direct-packaged"]) == 2
    error = capsys.readouterr().err
    assert "recipe: expected start/direct-3.safetensors (the direct of commit 0b1625b" in error
    assert "shards/procedural, shards/meshes, which direct-packaged needs, got nothing there" in error
    assert seen == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_dry_run_says_what_would_run_and_about_how_long(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    seen: list[TrainConfig],
) -> None:
    measured: list[TrainConfig] = []
    found = Duration(2.0, 30.0, 5430.0, 7, own_data=False)
    monkeypatch.setattr(jc3d.train.duration, "measure", lambda config: measured.append(config) or found)
    monkeypatch.setattr(jc3d.train.duration, "seconds_to_render", lambda source, views: 3.0)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--recipe", name, "--dry-run"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert RECIPES[name].about in shown
    for phase in RECIPES[name].phases:
        assert f"jc3d train --preset {phase.settings['preset']}" in shown
        assert f"steps {TrainConfig(**phase.settings).steps} of" in shown
        assert all(f"missing {path}: {what}" in shown for path, what in phase.needs.items())
    for rendering in RECIPES[name].renderings:
        assert f"render first {rendering.command('train')}" in shown
    times = "about 1 h 30 min: 2.00 s a step, the mean of 7 measured here on one generated object"
    assert shown.count(times) == len(measured) == len(RECIPES[name].phases)
    assert all(f"missing {each.folder}" not in shown for each in RECIPES[name].renderings)  # said once
    others = [f"the rendering of {each.source}" for each in RECIPES[name].renderings if each.source != "procedural"]
    assert re.search(r"in all about (.*)", shown)[1].endswith(
        f" on this machine, without {', '.join([*others, 'the loading of data that are not there yet'])}"
    )
    assert seen == []
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_measures_a_run_without_a_recipe(
    tiny_recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--preset", "rnn-small", "--data", f"shards={tmp_path}/shards", "--iterations", "1", "--workers", "0"]
    words += ["--batch-size", "1", "--max-views", "1", "--val-objects", "1"]
    assert main(["train", "--dry-run", *words]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    given = shown[shown.index("jc3d train ") :]
    assert all(f" {name} {value} " in given for name, value in zip(words[::2], words[1::2], strict=True))
    assert "measured here on its data" in shown
    assert shown.endswith(" on this machine")  # nothing is left out
    assert not (tmp_path / "runs").exists()
