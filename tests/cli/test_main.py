"""The ``jc3d`` command as a whole: usage, errors and signals."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import jc3d.cli
import jc3d.io.atomic
from jc3d._version import __version__
from jc3d.cli import main
from jc3d.codec import Codes

pytestmark = pytest.mark.usefixtures("weights")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    commands = ("encode", "reconstruct", "decode", "info", "demo", "models", "export", "train", "evaluate")
    for command in (*commands, "prerender", "data", "reproduce"):
        assert f" {command} " in shown
    assert main([]) == 0
    assert "Usage: jc3d" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jc3d {__version__}\n"


def test_help_does_not_load_torch() -> None:
    code = "import sys; from jc3d.cli import main; main(['--help']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["unknown"], "No such command 'unknown'"),
        (["encode"], "Missing"),
        (["encode", "--nonsense"], "No such option"),
        (["info"], "Missing argument"),
        (["reconstruct", "a.jc3d", "-o", "a.npz", "--threshold", "2"], "threshold"),
        (["demo", "--views", "0"], "views"),
        (["demo", "--views", "many"], "--views"),
        (["train", "--precision", "8"], "precision"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, fails: Callable[..., str]) -> None:
    assert message in fails(*arguments)


def test_bad_input_is_one_line_in_a_real_process(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "jc3d", "info", str(tmp_path / "none.jc3d")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert run.stderr == f"jc3d: {tmp_path / 'none.jc3d'}: No such file or directory\n"
    assert run.stdout == ""


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        main(["info", str(tmp_path / "none.jc3d"), "--debug"])


def test_errors_that_are_not_about_the_input_are_not_hidden(codes_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Codes, "load", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["info", str(codes_file)])


@pytest.mark.parametrize(
    ("code", "command"), [(errno.EACCES, "encode"), (errno.EROFS, "reconstruct"), (errno.ENOSPC, "demo")]
)
def test_place_that_takes_no_file_is_one_clear_line(
    code: int,
    command: str,
    images: list[str],
    codes_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fails: Callable[..., str],
) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise OSError(code, os.strerror(code), str(path))

    # The tests may run as root, who may write anywhere.
    monkeypatch.setattr(jc3d.io.atomic, "open", refuse, raising=False)
    out = tmp_path / "out"
    arguments: dict[str, tuple[str | Path, ...]] = {
        "encode": (*images, "-o", out, "--model", "toy"),
        "reconstruct": (codes_file, "-o", out.with_suffix(".npz")),
        "demo": ("-o", out, "--model", "toy", "--input", *images),
    }
    assert os.strerror(code) in fails(command, *arguments[command])
    assert not [path for path in tmp_path.rglob("out*") if path.is_file()]


def test_interrupted_write_leaves_no_file(
    images: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.rglob("*"))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jc3d.io.atomic.os, "replace", interrupt)
    assert main(["encode", *images, "-o", str(tmp_path / "a.jc3d"), "--model", "toy"]) == 130
    assert capsys.readouterr().err == "jc3d: interrupted\n"
    assert sorted(tmp_path.rglob("*")) == before


def test_terminated_write_leaves_no_file(images: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(jc3d.io.atomic.os, "fsync", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as caught:
        main(["encode", *images, "-o", str(tmp_path / "a.jc3d"), "--model", "toy"])
    assert caught.value.code == 143
    assert sorted(tmp_path.rglob("*")) == before
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
