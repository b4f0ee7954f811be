"""Reports, pictures and pages as things that can be made, and what is made when."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jc3d import reproduce as package
from jc3d.evaluate import Identity, Protocol, Report, Row
from jc3d.models import packaged_path, read_metadata
from jc3d.reproduce import Artefact, Inputs, chosen, listed, reproduce
from jc3d.reproduce.artefacts import Page, Picture, StoredReport

MODEL = "implicit-384"
FINGERPRINT = read_metadata(packaged_path(MODEL))["fingerprint"].hex()
DONE = Protocol(iterations=(1,), objects=2)


class Measure:
    """Stands for an evaluation: notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Protocol]] = []

    def __call__(self, model: str | Path, protocol: Protocol) -> Report:
        self.asked.append((str(model), protocol))
        return found(protocol=replace(protocol, iterations=(1,)))


def found(identity: Identity | None = None, protocol: Protocol = DONE) -> Report:
    identity = identity or Identity(MODEL, FINGERPRINT, 1024)
    row = Row(identity.name, "payload_bytes", 5, 1, None, None, "all", 2, 640.0, 0.0)
    return Report(identity, (128, 128), protocol, (row,))


@pytest.fixture
def measure() -> Measure:
    return Measure()


@pytest.fixture
def report(measure: Measure) -> StoredReport:
    return StoredReport("made", MODEL, Protocol(objects=2), measure, minutes=3)


@pytest.fixture
def toys(report: StoredReport, monkeypatch: pytest.MonkeyPatch) -> dict[str, Artefact]:
    def draw(inputs: Inputs) -> Iterator[tuple[str, bytes]]:
        yield "a.png", b"picture"

    page = Page("page", "page.md", (report,), lambda reports, path: f"{reports['made'].objects} objects\n")
    meshes = StoredReport("meshes", MODEL, Protocol(data="meshes=FOLDER"), report.measure)
    every = (report, meshes, Picture("picture", "*.png", None, draw), page)
    toys = {artefact.name: artefact for artefact in every}
    monkeypatch.setattr(package.run, "artefacts", lambda: toys)
    return toys


# States --------------------------------------------------------------------------------------------------------------


def test_a_report_that_was_made_is_there(report: StoredReport, tmp_path: Path) -> None:
    assert report.state(tmp_path) == "missing"
    report.make(tmp_path, Inputs())
    assert report.state(tmp_path) == "there"
    assert report.load(tmp_path) == found()


@pytest.mark.parametrize(
    ("stored", "what"),
    [
        (found(Identity(MODEL, "00" * 8, 1024)), f"the fingerprint {FINGERPRINT}, got 0000000000000000"),
        (found(protocol=replace(DONE, objects=3)), "the protocol Protocol"),
    ],
)
def test_a_report_of_other_weights_or_settings_is_outdated(
    stored: Report, what: str, report: StoredReport, tmp_path: Path
) -> None:
    stored.save(tmp_path / "made.json")
    assert report.state(tmp_path) == "outdated"
    with pytest.raises(ValueError, match=rf"made\.json: expected {what}"):
        report.load(tmp_path)


def test_a_damaged_report_is_outdated(report: StoredReport, tmp_path: Path) -> None:
    (tmp_path / "made.json").write_text("{")
    assert report.state(tmp_path) == "outdated"


def test_a_classical_codec_of_other_software_is_not_measured_again_unasked(
    measure: Measure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    protocol = Protocol(num_bytes=(64,))
    artefact = StoredReport("jpeg", "jpeg", protocol, measure)
    found(Identity("jpeg", library="another one"), protocol).save(tmp_path / "jpeg.json")
    assert artefact.state(tmp_path) == "of other software"
    assert artefact.load(tmp_path).identity.library == "another one"  # pages show it all the same
    monkeypatch.setattr(package.run, "artefacts", lambda: {"jpeg": artefact})
    said: list[str] = []
    assert reproduce((), tmp_path, Inputs(), say=said.append) == []
    assert said == ["jpeg: of other software"]
    assert not measure.asked
    reproduce((), tmp_path, Inputs(), again=True, say=said.append)
    assert len(measure.asked) == 1


def test_a_page_is_outdated_when_a_report_changes(toys: dict[str, Artefact], tmp_path: Path) -> None:
    page = toys["page"]
    assert page.state(tmp_path) == "missing"
    found().save(tmp_path / "made.json")
    page.make(tmp_path, Inputs())
    assert (tmp_path / "page.md").read_text() == "2 objects\n"
    assert page.state(tmp_path) == "there"
    (tmp_path / "page.md").write_text("3 objects\n")
    assert page.state(tmp_path) == "outdated"
    (tmp_path / "made.json").unlink()
    assert page.lacks(tmp_path, Inputs()) == "made"


def test_a_block_needs_the_page_it_is_a_part_of(toys: dict[str, Artefact], tmp_path: Path) -> None:
    page = toys["page"]
    assert isinstance(page, Page)
    found().save(tmp_path / "made.json")
    assert page.lacks(tmp_path, Inputs()) is None
    assert replace(page, block=True).lacks(tmp_path, Inputs()) == str(tmp_path / "page.md")
    assert replace(page, file="cards/page.md").lacks(tmp_path, Inputs()) == str(tmp_path / "cards")


# Inputs and commands -------------------------------------------------------------------------------------------------


def test_a_folder_of_this_machine_is_not_written_down(measure: Measure, tmp_path: Path) -> None:
    artefact = StoredReport("meshes", MODEL, Protocol(data="meshes=FOLDER"), measure)
    assert artefact.lacks(tmp_path, Inputs()) == "--meshes"
    inputs = Inputs(meshes=tmp_path / "my meshes")
    assert artefact.lacks(tmp_path, inputs) is None
    artefact.make(tmp_path, inputs)
    assert measure.asked == [(MODEL, Protocol(data=f"meshes={tmp_path / 'my meshes'}"))]
    assert artefact.load(tmp_path).protocol.data == "meshes=FOLDER"
    assert str(tmp_path) not in (tmp_path / "meshes.json").read_text()


def test_a_model_that_is_not_packaged_is_brought(measure: Measure, tmp_path: Path) -> None:
    artefact = StoredReport("mine", "mine", Protocol(iterations=(1,)), measure)
    assert artefact.lacks(tmp_path, Inputs()) == "--weights mine.safetensors"
    artefact.make(tmp_path, Inputs(weights={"mine": tmp_path / "mine.safetensors"}))
    assert measure.asked[0][0] == str(tmp_path / "mine.safetensors")
    assert artefact.state(tmp_path) == "there"


def test_the_command_of_a_report_has_the_options_that_are_not_the_defaults() -> None:
    protocol = Protocol(data="shards=a b", views=(1, 3), thresholds=(0.3,), thirteen=False, num_bytes=(64, 128))
    assert shlex.split(StoredReport("made", "jpeg", protocol).command) == [
        *("jc3d", "evaluate", "--model", "jpeg", "--data", "shards=a b", "--views", "1", "--views", "3"),
        *("--threshold", "0.3", "--all-objects", "--num-bytes", "64", "--num-bytes", "128", "-o", "made.json"),
    ]


# Runs ----------------------------------------------------------------------------------------------------------------


def test_what_is_there_is_not_made_again(toys: dict[str, Artefact], measure: Measure, tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        assert reproduce((), tmp_path, Inputs(), say=said.append) == ["meshes"]
    assert len(measure.asked) == 1
    assert (tmp_path / "a.png").read_bytes() == b"picture"
    needs = "meshes: not made, needs --meshes"
    assert said[:4] == ["made: being made", needs, "picture: being made", "page: being made"]
    assert said[4:] == ["made: there", needs, "picture: there", "page: there"]
    reproduce(("made",), tmp_path, Inputs(), again=True, say=said.append)
    assert len(measure.asked) == 2


def test_pages_alone_are_written_from_the_reports_that_are_there(
    toys: dict[str, Artefact], measure: Measure, tmp_path: Path
) -> None:
    said: list[str] = []
    assert reproduce((), tmp_path, Inputs(), pages_only=True, say=said.append) == ["page"]
    assert said == ["page: not made, needs made"]
    found().save(tmp_path / "made.json")
    assert reproduce((), tmp_path, Inputs(), pages_only=True, say=said.append) == []
    assert (tmp_path / "page.md").read_text() == "2 objects\n"
    assert not measure.asked


@pytest.mark.usefixtures("toys")
def test_a_page_brings_its_reports_along() -> None:
    assert [artefact.name for artefact in chosen(["page"])] == ["made", "page"]
    assert [artefact.name for artefact in chosen(["me*", "pic*"])] == ["meshes", "picture"]
    assert len(chosen(())) == 4
    with pytest.raises(ValueError, match="name: expected one of made, meshes, picture, page, got 'pages'"):
        chosen(["pages"])


@pytest.mark.usefixtures("toys")
def test_a_list_says_state_cost_and_command(tmp_path: Path) -> None:
    assert list(listed(["made", "picture"], tmp_path)) == [
        ("made", "missing", 3, "jc3d reproduce made"),
        ("picture", "missing", 0, "jc3d reproduce picture"),
    ]
