"""Sources as text, and the kinds there are."""

import re
from pathlib import Path

import pytest
import tiny_shards

from jc3d.data.sources import SourceSpec, register_source, source_kinds
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.data.sources.shards import ShardSource


@pytest.mark.parametrize(
    ("text", "kind", "folder", "weight"),
    [
        ("procedural", "procedural", None, 1),
        ("procedural@0.5", "procedural", None, 0.5),
        ("meshes=/a@b/c", "meshes", Path("/a@b/c"), 1),
        ("shards=/a@b@2", "shards", Path("/a@b"), 2),
    ],
)
def test_specs(text: str, kind: str, folder: Path | None, weight: float) -> None:
    spec = SourceSpec.parse(text)
    assert (spec.kind, spec.folder, spec.weight) == (kind, folder, weight)


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "nothing=/a", "procedural=/a", "meshes", "meshes=", "r2n2@2"],
    ids=lambda text: text or "empty",
)
def test_other_texts_are_refused(text: str) -> None:
    forms = "meshes=FOLDER, procedural, r2n2=FOLDER, shards=FOLDER"
    with pytest.raises(ValueError, match=re.escape(f"data: expected one of {forms}, got {text!r}")):
        SourceSpec.parse(text)


@pytest.mark.parametrize("weight", ["0", "-1", "1e999", "1e", "."])
def test_weights_are_positive_numbers(weight: str) -> None:
    with pytest.raises(ValueError, match="data: expected a positive weight after @, got"):
        SourceSpec.parse(f"procedural@{weight}")


def test_sources_are_opened_for_a_split(tmp_path: Path) -> None:
    tiny_shards.write(tmp_path, objects=3)
    shards = SourceSpec.parse(f"shards={tmp_path}").open("val")
    assert isinstance(shards, ShardSource)
    assert len(shards) == 3
    procedural = SourceSpec.parse("procedural").open("val")
    assert isinstance(procedural, ProceduralSource)
    assert procedural.seeds == ProceduralSource("val").seeds


def test_kinds_are_found_by_their_place() -> None:
    assert {name: kind.takes_folder for name, kind in source_kinds().items()} == {
        "meshes": True,
        "procedural": False,
        "r2n2": True,
        "shards": True,
    }


def test_a_kind_registers_itself_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = source_kinds()
    monkeypatch.setattr("jc3d.data.sources.registry._kinds", dict(kinds))

    @register_source("same")
    def same(folder: Path, split: str) -> tuple[Path, str]:
        return folder, split

    assert SourceSpec.parse("same=/a@2").open("test") == (Path("/a"), "test")
    with pytest.raises(ValueError, match="source: expected a new name, got 'same', which is registered already"):
        register_source("same")(same)
