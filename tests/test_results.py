"""What the documents say of the packaged models: of these very weights, and no less than they promise."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from jc3d.evaluate import Report, Score
from jc3d.models import packaged, packaged_path, read_metadata

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
MODELS = ("implicit-384", "r2n2-small")


def report(name: str, kind: str) -> Report:
    return Report.load(RESULTS / f"{name}-{kind}.json")


def overall(name: str, kind: str) -> Score:
    (scores,) = report(name, kind).shapes
    return scores.overall


@pytest.fixture(scope="module")
def make() -> ModuleType:
    """The script that writes the documents."""
    pytest.importorskip("matplotlib", reason="the viz extra is not installed")
    spec = importlib.util.spec_from_file_location("make", RESULTS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_packaged_models_are_those_that_the_documents_speak_of() -> None:
    assert packaged() == sorted(MODELS)


@pytest.mark.parametrize("kind", ["procedural", "meshes"])
@pytest.mark.parametrize("name", MODELS)
def test_results_are_of_the_packaged_weights_under_the_stated_protocol(name: str, kind: str) -> None:
    found = report(name, kind)
    assert found.fingerprint == read_metadata(packaged_path(name))["fingerprint"].hex()
    protocol = found.protocol
    assert (protocol.split, protocol.views, protocol.thresholds, protocol.thirteen) == ("test", (5,), (0.4,), True)
    assert overall(name, kind).objects == found.objects >= (1000 if kind == "procedural" else 40)


def test_the_documents_show_the_numbers_of_the_reports(make: ModuleType) -> None:
    """What make.py would write of the reports that are there is what stands there."""
    labels = (*MODELS, "implicit-384-procedural")
    reports = {name: {kind: report(name, kind) for kind in ("procedural", "meshes")} for name in labels}
    page, readme = (RESULTS / "README.md").read_text(), (RESULTS.parents[1] / "README.md").read_text()
    flips = page.split("```\n")[-2]  # measured by another script
    assert make._page(reports, flips) == page
    assert make._with_results(readme, reports) == readme
    for name in MODELS:
        assert make._card(name, reports[name]) == packaged_path(name).with_suffix(".md").read_text()


def test_bits_cost_little_against_floats() -> None:
    floats, bits = (overall(name, "procedural").miou for name in ("r2n2-small", "implicit-384"))
    assert bits >= 0.95 * floats
    assert floats >= 0.70


def test_shapes_of_real_objects_are_as_good_as_promised() -> None:
    assert overall("implicit-384", "meshes").miou_best_turn >= 0.60
    assert overall("implicit-384-procedural", "meshes").miou_best_turn >= 0.30
