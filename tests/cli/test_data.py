"""``jc3d data``: what it says of a folder, and its exit code."""

from pathlib import Path

import pytest
from r2n2_writer import CHAIR, object_of, write_object

from jc3d.cli import main
from jc3d.data.categories import SYNSETS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two objects in each of the thirteen categories."""
    for number, synset in enumerate(SYNSETS.values()):
        for object_id in ("a", "b"):
            write_object(tmp_path, synset, object_id, *object_of(number, views=1))
    return tmp_path


def test_a_whole_folder_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(folder), "--decode"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["chair", "1", "1"] in lines  # train, test
    assert lines[-1] == [f"{folder}:", "26", "objects,", "0", "problems"]


def test_problems_are_listed_and_the_exit_code_is_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = folder / f"ShapeNetRendering/{CHAIR}/a/rendering/00.png"
    image.write_bytes(image.read_bytes()[:50])
    (folder / f"ShapeNetVox32/{CHAIR}/b/model.binvox").unlink()
    assert main(["data", "check", str(folder)]) == 1
    shown = capsys.readouterr().out
    assert f"{CHAIR}/b/model.binvox: expected a .binvox file, got nothing there" in shown
    assert shown.splitlines()[-1] == f"{folder}: 26 objects, 1 problems"
    assert main(["data", "check", str(folder), "--decode"]) == 1
    assert f"{image}: expected" in capsys.readouterr().out


def test_another_folder_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(tmp_path)]) == 2
    assert "got no ShapeNetRendering" in capsys.readouterr().err


def test_the_group_alone_shows_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data"]) == 0
    assert "check" in capsys.readouterr().out
