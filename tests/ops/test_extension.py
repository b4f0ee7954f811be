import json
import shutil
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import jc3d
from jc3d.ops import _extension
from jc3d.ops._extension import REQUIRE_VARIABLE, copy_with_module, extension

PACKAGE = Path(jc3d.__file__).parent


def make_copy(place, module):
    """A folder that looks like a copy of the package, with a file for its compiled module or without."""
    package = place / "jc3d"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    if module:
        (package / f"_C{EXTENSION_SUFFIXES[0]}").touch()
    return package


def record(place, editable):
    """What pip notes down of a package that was installed from a folder."""
    info = place / "site" / "jc3d-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jc3d\nVersion: 0.1\n")
    url = (place / "source of it").as_uri()
    (info / "direct_url.json").write_text(json.dumps({"url": url, "dir_info": {"editable": editable}}))
    return info.parent


def test_copy_with_the_module_is_found_on_the_path(tmp_path, monkeypatch):
    tree = make_copy(tmp_path / "tree", module=False)
    bare = make_copy(tmp_path / "bare", module=False)
    built = make_copy(tmp_path / "built", module=True)
    monkeypatch.setattr("sys.path", [str(package.parent) for package in (tree, bare, built)] + [str(tmp_path / "none")])
    assert copy_with_module(tree) == built
    assert copy_with_module(built) is None  # nothing is wrong with it
    monkeypatch.setattr("sys.path", [str(tree.parent), str(bare.parent)])
    assert copy_with_module(tree) is None


def test_copy_in_the_working_folder_is_found(tmp_path, monkeypatch):
    tree = make_copy(tmp_path / "tree", module=False)
    make_copy(tmp_path / "built", module=True)
    monkeypatch.chdir(tmp_path / "built")
    monkeypatch.setattr("sys.path", [str(tree.parent), ""])
    assert copy_with_module(tree) == Path("jc3d")


@pytest.mark.parametrize("editable", [True, False])
def test_sources_of_an_editable_install_are_a_copy(tmp_path, monkeypatch, editable):
    tree = make_copy(tmp_path / "tree", module=False)
    sources = make_copy(tmp_path / "source of it", module=True)
    monkeypatch.setattr("sys.path", [str(tree.parent), str(record(tmp_path, editable))])
    assert copy_with_module(tree) == (sources if editable else None)


def test_one_warning_when_the_wrong_copy_is_imported(tmp_path, run_python):
    tree, site = tmp_path / "tree", tmp_path / "site"
    shutil.copytree(PACKAGE, tree / "jc3d", ignore=shutil.ignore_patterns("_C.*", "__pycache__", "weights"))
    make_copy(site, module=True)
    result = run_python("import jc3d.ops; print(jc3d.build_info().reason)", before=[tree, site])
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("UserWarning: jc3d runs on plain PyTorch") == 1
    reason = result.stdout.strip()
    assert reason in result.stderr
    assert f"the copy of jc3d in {tree / 'jc3d'}, which has none; the one in {site / 'jc3d'} has it" in reason


@pytest.fixture
def missing(monkeypatch):
    """The compiled module can't be loaded, and there is no other copy."""

    def import_module(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr("importlib.import_module", import_module)
    monkeypatch.setattr(_extension, "copy_with_module", lambda package: None)
    monkeypatch.delenv(REQUIRE_VARIABLE, raising=False)


def test_no_warning_when_there_is_no_other_copy(missing, recwarn):
    result = extension.__wrapped__()
    assert result.module is None
    assert result.reason == "the compiled module can't be loaded: No module named 'jc3d._C'"
    assert not recwarn.list


@pytest.mark.parametrize("other", [None, Path("elsewhere", "jc3d")])
def test_required_module_that_is_missing_is_an_error(missing, monkeypatch, recwarn, other):
    monkeypatch.setenv(REQUIRE_VARIABLE, "1")
    monkeypatch.setattr(_extension, "copy_with_module", lambda package: other)
    with pytest.raises(
        ImportError, match=f"^{REQUIRE_VARIABLE}=1, and the compiled module can't be loaded: No"
    ) as error:
        extension.__wrapped__()
    assert (f"the one in {other} has it" in str(error.value)) == (other is not None)
    assert not recwarn.list


def test_without_the_module_everything_still_works(run_python):
    result = run_python(
        "import torch; from jc3d.ops import *; x = torch.randn(2, 9)\n"
        + "assert torch.equal(unpack_bits(pack_bits(x), 9), binarize(x))\n"
        + "print(status()['pack_bits']['cpu'])",
        without_module=True,
    )
    assert result.returncode == 0, result.stderr
    assert "compiled=False" in result.stdout
    assert "jc3d._C" in result.stdout
