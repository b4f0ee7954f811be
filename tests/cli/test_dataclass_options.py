"""Options that are made from dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer.testing import CliRunner

from jc3d.cli.dataclass_options import add_command, descriptions, hidden, options, shared_options


@dataclass(frozen=True)
class Base:
    """Settings.

    Attributes:
        size: of it, in ``pixels``. Larger ones are slower.
        kind: one of two,
            see :class:`somewhere.Kind`.
    """

    size: int = 3
    kind: Literal["round", "square"] = "round"


@dataclass(frozen=True)
class Settings(Base):
    """More settings, of eq. 16 of the paper.

    Attributes:
        names: their names; [bold] is not markup.
        fast: as eq. 16 has it. It is not exact.
        limit: of all.
        out: folder.

    Raises:
        ValueError: never.
    """

    names: tuple[str, ...] = ("a", "b")
    counts: tuple[int, ...] = field(default=(), metadata={"help": "How many.", "flags": ("--count", "-c")})
    fast: bool = True
    limit: float | None = None
    out: Path = field(default=Path(), metadata={"shown": "here"})


def app_of(make: Any, seen: list[Any]) -> typer.Typer:
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")

    def run(
        where: Annotated[str, typer.Argument()], loud: Annotated[bool, typer.Option("--loud")] = False, **given: Any
    ) -> None:
        """Runs."""
        seen.append((where, loud, given))

    def other() -> None:
        """Does nothing."""

    add_command(app, run, make)
    app.command()(other)
    return app


def test_descriptions_are_first_sentences_without_markup() -> None:
    assert descriptions(Settings) == {
        "size": "Of it, in pixels.",
        "kind": "One of two, see somewhere.Kind.",
        "names": "Their names; [bold] is not markup.",
        "fast": "As eq. 16 has it.",
        "limit": "Of all.",
        "out": "Folder.",
    }


def test_only_what_is_given_is_passed_on() -> None:
    seen: list[Any] = []
    app = app_of(lambda: options(Settings), seen)

    def run(*words: str) -> Any:
        result = CliRunner().invoke(app, ["run", *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return seen.pop()

    assert run("x") == ("x", False, {})
    assert run("x", "--size", "3", "--loud") == ("x", True, {"size": 3})
    words = ("--names", "c", "--names", "d", "-c", "1", "--no-fast", "--limit", "0.5", "--kind", "square", "--out", "o")
    given = {"names": ("c", "d"), "counts": (1,), "fast": False, "limit": 0.5, "kind": "square", "out": Path("o")}
    assert run("x", *words) == ("x", False, given)
    assert CliRunner().invoke(app, ["run", "x", "--kind", "flat"]).exit_code == 2
    assert CliRunner().invoke(app, ["run", "x", "--size", "big"]).exit_code == 2
    assert seen == []


def test_help_has_types_and_defaults() -> None:
    app = app_of(lambda: options(Settings, panel="Settings"), [])
    text = " ".join(CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "140"}).output.split())
    for words in (
        " Settings --size <int>",
        "Of it, in pixels. [default: 3]",
        "--kind <round|square>",
        "Their names; [bold] is not markup. Repeat it. [default: a, b]",
        "--names <str> Their names",
        "--fast / --no-fast",
        "Folder. [default: (here)]",
    ):
        assert words in text
    assert "How many. Repeat it. [default" not in text
    assert "Of all. [default" not in text


def test_options_are_made_when_the_command_is_called() -> None:
    made: list[None] = []
    app = app_of(lambda: made.append(None) or options(Base), [])
    result = CliRunner().invoke(app, ["--help"])
    assert "Runs." in result.output
    assert CliRunner().invoke(app, ["other"]).exit_code == 0
    assert made == []
    assert CliRunner().invoke(app, ["run", "x"]).exit_code == 0
    assert made == [None]


def test_a_hidden_old_name() -> None:
    seen: list[Any] = []
    (size,) = options(Base, skip=("kind",))
    app = app_of(lambda: [size, hidden(size, "old_size")], seen)
    assert "--old-size" not in CliRunner().invoke(app, ["run", "--help"]).output
    assert CliRunner().invoke(app, ["run", "x", "--old-size", "5"]).exit_code == 0
    assert seen == [("x", False, {"old_size": 5})]


def test_fields_that_nobody_describes_are_refused() -> None:
    @dataclass
    class Silent:
        """Says nothing."""

        size: int = 3

    @dataclass
    class Bare:
        """Says something.

        Attributes:
            size: of it.
        """

        size: int

    for wrong in (Silent, Bare):
        with pytest.raises(ValueError, match=rf"{wrong.__name__}.size: expected a default and a description"):
            options(wrong)


@dataclass(frozen=True)
class Other:
    """Settings.

    Attributes:
        size: of the other.
        depth: of it.
    """

    size: int = 4
    depth: int = 1


def test_a_field_that_several_have_is_one_option() -> None:
    found = {each.name: each.annotation.__metadata__[0] for each in shared_options({"a": Base, "b": Other}, "task")}
    assert found.keys() == {"size", "kind", "depth"}
    assert {name: info.rich_help_panel for name, info in found.items()} == {
        "size": "Of the tasks a and b",
        "kind": "Of the task a",
        "depth": "Of the task b",
    }
    assert found["size"].show_default == "3 (a), 4 (b)"

    @dataclass(frozen=True)
    class Wrong:
        """Settings.

        Attributes:
            size: in words.
        """

        size: str = "large"

    with pytest.raises(ValueError, match="size: expected one type in a and b, got two"):
        shared_options({"a": Base, "b": Wrong}, "task")
