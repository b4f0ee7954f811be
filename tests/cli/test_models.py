"""``jc3d models``."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_compressor

from jc3d.cli import main
from jc3d.models import save_weights
from jc3d.models.validation_scores import ValidationScore, stored_scores

pytestmark = pytest.mark.usefixtures("weights")


def test_models_lists_presets_and_packaged_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert rows["toy"][:2] == ["820", "480:1"]
    assert rows["toy"][-2:] == ["mIoU", "0.123"]
    assert "MB" in rows["toy"]
    assert rows["implicit-384"][:2] == ["1024", "384:1"]
    assert "MB" not in rows["implicit-384"]
    assert rows["r2n2-paper"][:2] == ["32768", "12:1"]


def test_the_score_is_of_what_the_run_measured(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = [ValidationScore("l1", None, 0.0124), ValidationScore("loss", None, 0.5)]
    save_weights(weights / "codec.safetensors", tiny_compressor.make(), stored_scores(scores))
    save_weights(weights / "bare.safetensors", tiny_compressor.make(), {})
    assert main(["models"]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert rows["codec"][-2:] == ["L1", "0.012"]
    assert rows["bare"][-1] == "MB"
