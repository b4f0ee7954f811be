"""``jc3d evaluate``: the report that it prints and writes."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import jc3d.cli
import jc3d.io.atomic
from jc3d.cli import main
from jc3d.models import create, save_weights

pytestmark = pytest.mark.usefixtures("weights")


def test_evaluate_prints_and_writes_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    assert main(["evaluate", "--model", "toy", "--objects", "2", "--views", "1", "-o", str(report)]) == 0
    assert "all" in capsys.readouterr().out
    stored = json.loads(report.read_text())
    assert stored["objects"] == 2
    assert stored["protocol"]["views"] == [1]


def test_evaluate_takes_several_views_iterations_and_thresholds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    weights, report = tmp_path / "mine.safetensors", tmp_path / "report.json"
    save_weights(weights, create("direct"), {})
    several = {"--views": ("1", "2"), "--iterations": ("1", "2"), "--threshold": ("0.3", "0.4")}
    options = [word for name, values in several.items() for value in values for word in (name, value)]
    assert main(["evaluate", "--model", str(weights), "--objects", "1", *options, "-o", str(report)]) == 0
    shown = capsys.readouterr().out
    assert "2 decoded views" in shown
    assert "1 view, 2 iterations, τ = 0.3" in " ".join(shown.split())
    stored = json.loads(report.read_text())
    assert {name: stored["protocol"][name] for name in ("views", "iterations", "thresholds")} == {
        "views": [1, 2],
        "iterations": [1, 2],
        "thresholds": [0.3, 0.4],
    }
    assert len(stored["shapes"]) == 8
    assert len(stored["images"]) == 2


def test_evaluate_says_what_a_model_cannot(tmp_path: Path, fails: Callable[..., str]) -> None:
    message = fails("evaluate", "--model", "toy", "--iterations", "2", "-o", tmp_path / "report.json")
    assert "iterations: expected 1 with implicit-480, which has one code a view, got 2" in message
    assert not (tmp_path / "report.json").exists()
    assert "views" in fails("evaluate", "--model", "toy", "--views", "0")
    assert "views: expected a tuple of numbers, none twice" in fails("evaluate", "--views", "1", "--views", "1")


def test_evaluate_has_an_option_for_every_field_of_its_protocol() -> None:
    from jc3d.evaluate import Protocol

    fields = {field.name for field in dataclasses.fields(Protocol)}
    assert set(inspect.signature(jc3d.cli.evaluate).parameters) == fields | {"model", "device", "output"}
