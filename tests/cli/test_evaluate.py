"""``jc3d evaluate`` from the shell's side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from jc3d.cli import main
from jc3d.cli.evaluate import evaluate_options
from jc3d.evaluate import Protocol, Report
from jc3d.models import create, save_weights

pytestmark = pytest.mark.usefixtures("weights")


def test_the_report_is_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    assert main(["evaluate", "--model", "toy", "--objects", "2", "--views", "1", "-o", str(path)]) == 0
    assert "all" in capsys.readouterr().out
    report = Report.load(path)
    assert report.objects == 2
    assert report.protocol == Protocol(objects=2, views=(1,), iterations=(1,))


def test_several_views_iterations_and_thresholds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    weights, path = tmp_path / "mine.safetensors", tmp_path / "report.json"
    save_weights(weights, create("direct"), {})
    several = {"--views": ("1", "2"), "--iterations": ("1", "2"), "--threshold": ("0.3", "0.4")}
    options = [word for name, values in several.items() for value in values for word in (name, value)]
    assert main(["evaluate", "--model", str(weights), "--objects", "1", *options, "-o", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "2 decoded views" in shown
    assert "1 view, 2 iterations, τ = 0.3" in " ".join(shown.split())
    report = Report.load(path)
    assert report.protocol == Protocol(objects=1, views=(1, 2), iterations=(1, 2), thresholds=(0.3, 0.4))
    assert len(report.select(measure="iou", group="all")) == 8
    assert len(report.select(measure="psnr")) == 2


def test_a_classical_codec_by_its_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    path = tmp_path / "report.json"
    sizes = ("--num-bytes", "600", "--num-bytes", "128")
    assert main(["evaluate", "--model", "jpeg2000", "--objects", "1", "--views", "1", *sizes, "-o", str(path)]) == 0
    assert "jpeg2000: 1 decoded view of 1 object" in capsys.readouterr().out
    assert [row.num_bytes for row in Report.load(path).select(measure="met")] == [600, 128]


def test_what_a_model_cannot(tmp_path: Path, fails: Callable[..., str]) -> None:
    message = fails("evaluate", "--model", "toy", "--iterations", "2", "-o", tmp_path / "report.json")
    assert "iterations: expected 1 with implicit-480, which has one code a view, got 2" in message
    assert not (tmp_path / "report.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--views", "0"), "views"),
        (("--views", "1", "--views", "1"), "views: expected a tuple of numbers, none twice"),
        (("--threshold", "1"), "threshold"),
        (("--split", "all"), "split"),
        (("--model", "jpeg"), "num_bytes: expected at least one size with jpeg, got none"),
        (("--model", "toy", "--num-bytes", "128"), "num_bytes: expected none with implicit-480"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], message: str, fails: Callable[..., str]) -> None:
    assert message in fails("evaluate", *arguments)


def test_every_field_of_the_protocol_has_an_option() -> None:
    names = [option.name for option in evaluate_options()]
    assert names == [*(field.name for field in fields(Protocol)), "search_steps"]


def test_the_old_name_of_an_option_is_taken_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", "jpeg", "--num-bytes", "128", "--search-steps", "2"]) == 2
    said, refused = capsys.readouterr().err.splitlines()
    assert said == "jc3d: --search-steps is named --refinement-steps now"
    assert "refinement_steps: expected 0 with jpeg, got 2" in refused


def test_help_says_what_an_option_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for text in ("--all-objects", "--threshold", "Draws cameras and lights.", "jpeg2000, jpeg or webp"):
        assert text in shown
    assert "--search-steps" not in shown
