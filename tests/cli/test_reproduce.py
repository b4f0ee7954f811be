"""``jc3d reproduce`` from the shell's side."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jc3d.cli import main

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The folder of the results in a repository of its own."""
    out = tmp_path / "docs" / "results"
    shutil.copytree(RESULTS, out)
    shutil.copy(RESULTS.parents[1] / "README.md", tmp_path)
    (tmp_path / "jc3d" / "weights").mkdir(parents=True)
    return out


def test_a_list_has_names_states_and_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--list", "*-meshes", "--out", str(RESULTS)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "implicit-384-meshes: there, 1 min on two cores jc3d evaluate --model implicit-384" in text
    assert "gallery-meshes" in text
    assert "page" not in text


def test_a_card_is_written_from_the_stored_reports(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "card-r2n2-small", "--pages-only", "--out", str(copy)]) == 0
    assert "card-r2n2-small: being made" in capsys.readouterr().out
    card = (copy.parents[1] / "jc3d" / "weights" / "r2n2-small.md").read_text()
    assert card.startswith("# r2n2-small\n")
    assert main(["reproduce", "card-r2n2-small", "--pages-only", "--out", str(copy)]) == 0
    assert "card-r2n2-small: there" in capsys.readouterr().out


def test_an_input_that_is_needed_is_named_and_the_exit_code_tells(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "r2n2-small-meshes.json").unlink()
    assert main(["reproduce", "card-r2n2-small", "--out", str(copy)]) == 1
    out = capsys.readouterr().out
    assert "r2n2-small-procedural: there" in out
    assert "r2n2-small-meshes: not made, needs --meshes" in out
    assert "card-r2n2-small: not made, needs r2n2-small-meshes" in out


def test_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "everything"]) == 2
    assert "name: expected one of implicit-384-procedural, " in capsys.readouterr().err
