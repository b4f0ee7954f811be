"""Recipes: valid settings, and every command of the model cards among them."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from jc3d.cli.dataclass_options import add_command
from jc3d.cli.train import train_options
from jc3d.data.sources.spec import SourceSpec
from jc3d.models import PRESETS, packaged, packaged_path
from jc3d.train import TrainConfig
from jc3d.train.recipes import RECIPES, Phase, Rendering, command, recipe
from jc3d.train.settings import RENAMED

PHASES = [pytest.param(phase, id=f"{name}-{phase.name}") for name in RECIPES for phase in RECIPES[name].phases]


def given_by(line: str) -> dict[str, Any]:
    """The settings that a ``jc3d train`` command gives."""
    seen: list[dict[str, Any]] = []

    def train(**given: Any) -> None:
        seen.append(given)

    app = typer.Typer(add_completion=False)
    add_command(app, train, train_options)
    app(shlex.split(line)[2:], standalone_mode=False)
    return seen[0]


@pytest.mark.parametrize("phase", PHASES)
def test_phases_are_valid_runs_of_presets(phase: Phase) -> None:
    config = TrainConfig(**phase.settings)
    assert config.preset in PRESETS
    assert phase.settings.items() <= {**vars(config), **vars(config.task)}.items()


@pytest.mark.parametrize("phase", PHASES)
def test_the_command_of_a_phase_gives_its_settings(phase: Phase) -> None:
    assert given_by(command(phase.settings)) == phase.settings


@pytest.mark.parametrize("name", RECIPES)
def test_phases_start_from_others_before_them_or_from_files_they_explain(name: str) -> None:
    names: list[str] = []
    for phase in recipe(name).phases:
        assert phase.name not in names
        assert phase.after in ("", *names)
        files = {text.rpartition("=")[2] for text in phase.settings.get("init", ())}
        assert set(phase.needs) == {each for each in files if each.endswith(".safetensors")}
        assert files - set(phase.needs) <= set(packaged())
        names.append(phase.name)


@pytest.mark.parametrize("name", RECIPES)
def test_shards_that_phases_read_are_rendered(name: str) -> None:
    settings = [phase.settings for phase in recipe(name).phases]
    texts = {text for each in settings for kind in ("data", "val_data") for text in each.get(kind, ())}
    folders = {SourceSpec.parse(text).folder for text in texts} - {None}
    assert folders == {Path(each.folder) for each in recipe(name).renderings}


def test_every_packaged_model_has_a_recipe() -> None:
    assert set(packaged()) <= set(RECIPES)
    with pytest.raises(ValueError, match=r"recipe: expected one of r2n2-small, implicit-384, .*, got 'none'"):
        recipe("none")


@pytest.mark.parametrize("name", packaged())
def test_every_command_of_a_model_card_is_a_phase(name: str) -> None:
    """But where it starts and where it writes: these are files of the machine that ran it."""
    card = packaged_path(name).with_suffix(".md").read_text().replace("\\\n", "")
    new_names = {old: new for new, old in RENAMED.items()}
    phases = [phase for each in RECIPES.values() for phase in each.phases]
    commits = []
    for line in re.findall(r"jc3d train --preset [^`\n]*", card):
        given = {new_names.get(key, key): value for key, value in given_by(line).items() if key not in ("init", "out")}
        commits.append({phase.commit for phase in phases if given.items() <= phase.settings.items()})
        assert commits[-1], line
    of_weights = re.search(r"commit (\w+) with torch", " ".join(card.split()))
    assert of_weights is not None
    assert commits[0] == {of_weights[1]}
    assert all(each in RECIPES for each in re.findall(r"--recipe ([\w-]+)", card))


def test_renderings_are_commands() -> None:
    rendering = Rendering("meshes=FOLDER", "shards/meshes", 256)
    expected = "jc3d prerender meshes=FOLDER shards/meshes --split train --count 256 --views 6"
    assert rendering.command("train") == expected
    assert rendering.command("val").endswith("--split val --count 128 --views 6")
