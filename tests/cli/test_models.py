"""``jc3d models``."""

from __future__ import annotations

import pytest

from jc3d.cli import main

pytestmark = pytest.mark.usefixtures("weights")


def test_models_lists_presets_and_packaged_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert rows["toy"][:2] == ["820", "480:1"]
    assert rows["toy"][-1] == "0.123"
    assert "MB" in rows["toy"]
    assert rows["implicit-384"][:2] == ["1024", "384:1"]
    assert "MB" not in rows["implicit-384"]
    assert rows["r2n2-paper"][:2] == ["32768", "12:1"]
