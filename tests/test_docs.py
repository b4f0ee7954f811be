"""The Markdown pages: width of prose, links, paths and names between backticks, Python blocks."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 100
PAGES = sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
GENERATED = "docs/results/"
BY_HAND = [page for page in PAGES if not page.startswith(GENERATED)]
TODAY = [page for page in BY_HAND if page != "CHANGELOG.md"]  # which names what was there before, too
TOP = ("jc3d", "csrc", "tests", "bench", "docs", ".ci")
PLACEHOLDER = re.compile(r"NAME|KIND|FAMILY|TASK|\*")  # patterns of paths


class Block(NamedTuple):
    """A fenced block: its language and text."""

    language: str
    text: str


class Page(NamedTuple):
    """A page taken apart: its lines of prose with their numbers, its headings, its fenced blocks."""

    prose: list[tuple[int, str]]
    headings: list[str]
    blocks: list[Block]


@cache
def parsed(page: str) -> Page:
    prose: list[tuple[int, str]] = []
    headings: list[str] = []
    blocks: list[Block] = []
    fenced: list[str] | None = None
    generated = False
    for number, line in enumerate((ROOT / page).read_text().splitlines(), 1):
        fence, mark = re.match(r"\s*```(\w*)", line), re.fullmatch(r"<!-- (/?)\w+ -->", line.strip())
        if fence and fenced is None:
            fenced = [fence[1]]
        elif fence and fenced is not None:
            blocks.append(Block(fenced[0], "\n".join(fenced[1:]) + "\n"))
            fenced = None
        elif fenced is not None:
            fenced.append(line)
        elif mark:
            generated = not mark[1] and f"<!-- /{mark[0].split()[1]} -->" in (ROOT / page).read_text()
        elif line.startswith("#"):
            headings.append(line.lstrip("#").strip())
        elif not generated:
            prose.append((number, line))
    assert fenced is None, f"{page}: a fenced block is not closed"
    return Page(prose, headings, blocks)


@pytest.mark.parametrize("page", BY_HAND)
def test_prose_is_wrapped(page: str) -> None:
    long = [number for number, line in parsed(page).prose if len(line) > WIDTH and not line.startswith("|")]
    assert not long, f"{page}: expected at most {WIDTH} columns, got more in lines {long}"


def anchors(page: str) -> set[str]:
    """Those that GitHub gives the headings of a page."""
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in parsed(page).headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = "\n".join(line for _, line in parsed(page).prose)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"^\[\w+\]: (\S+)$", text, re.MULTILINE):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        if not target.exists() or (anchor and anchor not in anchors(str(target.relative_to(ROOT)))):
            broken.append(link)
    assert not broken, f"{page}: expected links that lead somewhere, got {broken}"


def spans(page: str) -> Iterator[str]:
    """What stands between backticks in prose and tables."""
    text = "\n".join(line for _, line in parsed(page).prose)
    for span in re.findall(r"`([^`]+)`", text):
        yield " ".join(span.split())


@pytest.mark.parametrize("page", TODAY)
def test_paths_exist(page: str) -> None:
    wrong = []
    for word in {word for span in spans(page) for word in span.split()}:
        path, _, test = word.partition("::")
        if path.split("/")[0] not in TOP or "/" not in path or PLACEHOLDER.search(path):
            continue
        target = ROOT / path
        if not target.exists() or (test and f"def {test}(" not in target.read_text()):
            wrong.append(word)
    assert not wrong, f"{page}: expected paths of the repository, got {sorted(wrong)}"


def is_there(dotted: str) -> bool:
    """Whether ``jc3d.a.b.name`` is a module, or a name that stands in the file of the longest module before it."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:count])
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if file.is_file():
            return count == len(parts) or bool(re.search(rf"\b{parts[count]}\b", file.read_text()))
    return False


@pytest.mark.parametrize("page", TODAY)
def test_dotted_names_exist(page: str) -> None:
    names = {name for span in spans(page) for name in re.findall(r"(?<![\w./])jc3d(?:\.[A-Za-z_]\w*)+", span)}
    if page == "docs/reference/export.md":  # names of metadata look alike
        names = {name for name in names if name.count(".") > 1}
    wrong = sorted(name for name in names - {"jc3d._C"} if not PLACEHOLDER.search(name) and not is_there(name))
    assert not wrong, f"{page}: expected names of the package, got {wrong}"


@pytest.mark.parametrize("page", BY_HAND)
def test_python_blocks_compile(page: str) -> None:
    for block in parsed(page).blocks:
        if block.language == "python":
            assert ast.parse(block.text).body, f"{page}: expected Python, got {block.text!r}"


def commands(page: str) -> Iterator[list[str]]:
    """The jc3d commands of the shell blocks of a page, as lists of words."""
    for block in parsed(page).blocks:
        for line in block.text.replace("\\\n", " ").splitlines() if block.language == "sh" else ():
            words = shlex.split(line, comments=True)
            if words[:1] == ["jc3d"]:
                yield words[1:]


@pytest.mark.parametrize("page", [page for page in BY_HAND if any(commands(page))])
def test_commands_have_these_options(page: str) -> None:
    from jc3d.cli import app

    for words in commands(page):
        command = typer.main.get_command(app)
        while hasattr(command, "commands"):
            name, *words = words
            command = command.commands[name]
        with command.make_context(name, words) as context:  # parses, and runs nothing; refuses what there is not
            assert context.args == [], f"{page}: expected words that {name} takes, got {context.args}"


def test_readme_has_what_ci_reads() -> None:
    shell = [block.text for block in parsed("README.md").blocks if block.language == "sh"]
    assert any("pytest" in text for text in shell)
    assert (ROOT / "README.md").read_text().count("<!-- test -->") == 1


SPEED = {  # a row of README's table, and the row of docs/performance.md that it is copied from
    "encode a view to bits": "encode 1 view, `implicit-384-paper`",
    "reconstruct one object from 5 views": "1 object from 5 views",
    "8 objects from 5 views": "8 objects from 5 views",
    "one more view of an open stream, with its grid": "one more view in an open stream, with a grid",
}


def rows(page: str) -> dict[str, list[str]]:
    """The rows of a page's tables by their first cell; of two with the same the first."""
    found: dict[str, list[str]] = {}
    for _, line in parsed(page).prose:
        if line.startswith("|"):
            first, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.setdefault(first, cells)
    return found


@pytest.mark.parametrize(("row", "source"), SPEED.items())
def test_readme_is_as_fast_as_was_measured(row: str, source: str) -> None:
    """Its times and ratios are those of docs/performance.md, rounded."""
    ours, eager, compiled, *_ = rows("docs/performance.md")[source]
    ratios = [re.fullmatch(r".*\((.+)\)", cell) for cell in (eager, compiled)]
    measured = [ours.strip("*"), *(ratio[1] if ratio else "" for ratio in ratios)]
    shown = [cell.split()[0] for cell in rows("README.md")[row]]
    rounded = [f"{float(exact):.{len(short.partition('.')[2])}f}" for exact, short in zip(measured, shown, strict=True)]
    assert shown == rounded


def test_readme_says_how_fast_nothing_else_is() -> None:
    header = "| | jc3d | eager PyTorch | `torch.compile` |"
    lines = (ROOT / "README.md").read_text().split(header)[1].strip().splitlines()
    table = lines[1 : lines.index("")]
    assert [line.split("|")[1].strip() for line in table] == list(SPEED)


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    missing = [path.name for path in folder.glob("*.md") if path.name != "README.md" and f"({path.name})" not in index]
    assert not missing


def test_pages_are_tracked() -> None:
    tracked = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if tracked:
        assert set(PAGES) <= set(tracked.splitlines())
