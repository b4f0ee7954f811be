"""The rules of the layout that import-linter does not hold."""

import ast
from pathlib import Path

import pytest

import jc3d
from jc3d.models import registry

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "jc3d"
KNOWS_CLASSES = ("models", "train/tasks")
RECEIVING_HALF = "Reconstruction"  # of every model with shapes; jc3d/infer drives it view by view
MOST_LINES = 400


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if ".venv" not in path.parts)


def names_in(path: Path) -> set[str]:
    """Every identifier of a file's code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found.update(alias.name for alias in node.names)
    return found


def test_only_models_and_tasks_name_a_model_class() -> None:
    registry.presets()
    classes = {
        base.__name__
        for family in registry._families.values()
        for kind in (family.model, family.config)
        for base in kind.__mro__
        if base.__module__.startswith("jc3d.models.") and base.__module__ != "jc3d.models.model"
    }
    assert {"R2N2", "Implicit", "RnnCompressor", "SequentialJoint", "Direct", "RnnConfig"} <= classes
    elsewhere = [
        path
        for path in python_files(PACKAGE)
        if not str(path.relative_to(PACKAGE)).startswith(tuple(f"{folder}/" for folder in KNOWS_CLASSES))
    ]
    assert len(elsewhere) > 50
    found = {str(path.relative_to(ROOT)): names_in(path) & (classes - {RECEIVING_HALF}) for path in elsewhere}
    assert {path: names for path, names in found.items() if names} == {}


def test_the_root_of_the_package_holds_nothing_else() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py", "_version.py", "errors.py"}


@pytest.mark.parametrize("folder", ["jc3d", "tests", "bench"])
def test_files_are_small(folder: str) -> None:
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in python_files(ROOT / folder)
        if not path.is_relative_to(PACKAGE / "data")
    }
    assert {path: lines for path, lines in sizes.items() if lines >= MOST_LINES} == {}


def test_tests_mirror_the_package() -> None:
    """A folder of tests is a package of jc3d, or holds tests of what only C++ has; files are split as suits them."""
    folders = {str(path.parent.relative_to(ROOT / "tests")) for path in (ROOT / "tests").rglob("test_*.py")}
    unknown = {folder for folder in folders if not (PACKAGE / folder).is_dir()}
    assert unknown == {"csrc"}


def test_the_package_at_hand_is_what_these_tests_are_of() -> None:
    assert jc3d.__version__ in (PACKAGE / "_version.py").read_text()
