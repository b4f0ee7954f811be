"""The help of commands with many options, at the width of a terminal."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jc3d.cli import main
from jc3d.cli.dataclass_options import Options
from jc3d.cli.evaluate import evaluate_options
from jc3d.cli.train import train_options


@pytest.mark.parametrize(("command", "make_options"), [("train", train_options), ("evaluate", evaluate_options)])
def test_no_word_is_cut_at_80_columns(
    command: str,
    make_options: Callable[[], Options],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command, "--help"]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    names = [line for line in lines if line.startswith("  -")]
    text = " ".join(" ".join(lines).split())
    visible = [each.annotation.__metadata__[0] for each in make_options()]
    visible = [info for info in visible if not info.hidden]
    assert len(names) >= len(visible)
    for info in visible:
        flags = [flag for each in (info.default, *info.param_decls) for flag in each.split("/")]
        assert any(all(flag in line.replace(",", " ").split() for flag in flags) for line in names), flags
        assert " ".join(info.help.split()) in text
