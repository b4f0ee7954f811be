"""What the documents say of the packaged models: of these very weights, and no less than they promise."""

import json
from pathlib import Path
from typing import Any

import pytest

from jc3d.models import packaged, packaged_path, read_metadata

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
MODELS = ("implicit-384", "r2n2-small")


def report(name: str, kind: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((RESULTS / f"{name}-{kind}.json").read_text())
    return loaded


def test_the_packaged_models_are_those_that_the_documents_speak_of() -> None:
    assert packaged() == sorted(MODELS)


@pytest.mark.parametrize("kind", ["procedural", "meshes"])
@pytest.mark.parametrize("name", MODELS)
def test_results_are_of_the_packaged_weights_under_the_stated_protocol(name: str, kind: str) -> None:
    found = report(name, kind)
    assert found["fingerprint"] == read_metadata(packaged_path(name))["fingerprint"].hex()
    protocol = found["protocol"]
    assert (protocol["split"], protocol["views"], protocol["threshold"], protocol["thirteen"]) == ("test", 5, 0.4, True)
    assert found["overall"]["objects"] >= (1000 if kind == "procedural" else 40)
    card = packaged_path(name).with_suffix(".md").read_text()
    score = found["overall"]["miou" if kind == "procedural" else "miou_best_turn"]
    assert f"{score:.3f} ± " in card


def test_bits_cost_little_against_floats() -> None:
    floats, bits = (report(name, "procedural")["overall"]["miou"] for name in ("r2n2-small", "implicit-384"))
    assert bits >= 0.95 * floats
    assert floats >= 0.70


def test_shapes_of_real_objects_are_as_good_as_promised() -> None:
    assert report("implicit-384", "meshes")["overall"]["miou_best_turn"] >= 0.60
    assert report("implicit-384-procedural", "meshes")["overall"]["miou_best_turn"] >= 0.30
