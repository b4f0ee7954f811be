"""``jc3d train``: its options."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

import jc3d.cli
import jc3d.io.atomic
from jc3d.cli import main

pytestmark = pytest.mark.usefixtures("weights")


def test_train_has_an_option_for_every_field_of_its_config() -> None:
    pytest.importorskip("lightning", reason="the extra 'train' is not installed")
    from jc3d.train import TrainConfig

    options = inspect.signature(jc3d.cli.train).parameters
    assert list(options) == [field.name for field in dataclasses.fields(TrainConfig)]


def test_train_passes_what_is_given_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="the extra 'train' is not installed")
    import jc3d.train

    seen = []
    monkeypatch.setattr(jc3d.train, "train", lambda config: seen.append(config) or tmp_path)
    assert main(["train", "--preset", "r2n2-small", "--steps", "1000", "--data", "procedural@2", "--no-resume"]) == 0
    expected = jc3d.train.TrainConfig(
        preset="r2n2-small", out=Path("runs/r2n2-small"), steps=1000, data=("procedural@2",), resume=False
    )
    assert seen == [expected]
