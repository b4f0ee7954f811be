"""Markdown: wrapping, tables, commands and blocks."""

from __future__ import annotations

import pytest

from jc3d.reproduce.markdown import WIDTH, bullet, commands, page, prose, table, with_block

LONG = "word " * 60


def test_prose_is_wrapped_and_loses_no_word() -> None:
    text = prose(LONG)
    assert text.split() == LONG.split()
    assert WIDTH - 5 < max(map(len, text.splitlines())) <= WIDTH


def test_code_within_prose_keeps_to_a_line() -> None:
    text = prose(LONG[:90] + "`jc3d reproduce all of it` " + LONG)
    assert "`jc3d reproduce all of it`" in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_an_item_of_a_list_is_indented() -> None:
    first, *rest = bullet(LONG).splitlines()
    assert first.startswith("- word")
    assert all(line.startswith("  word") for line in rest)


def test_commands_are_folded_before_options() -> None:
    text = commands("run " + "--option value " * 20 + "--last-one", "second -o x")
    lines = text.splitlines()
    assert (lines[0], lines[-1]) == ("```sh", "```")
    assert all(len(line) <= WIDTH for line in lines)
    assert all(line.lstrip().startswith(("run", "-", "second")) for line in lines[1:-1])
    joined = text.replace(" \\\n  ", " ").splitlines()
    assert joined[1] == "run " + "--option value " * 20 + "--last-one"
    assert joined[2] == "second -o x"


def test_a_table_of_texts_and_numbers() -> None:
    assert table(("a", "b", "c"), [("x", "1", "2")]) == "| a | b | c |\n| --- | ---: | ---: |\n| x | 1 | 2 |"
    assert table(("a", "b"), [], texts=2) == "| a | b |\n| --- | --- |"


def test_blocks_stand_apart() -> None:
    assert page("a", "b") == "a\n\nb\n"


def test_a_block_is_replaced_and_the_rest_kept() -> None:
    text = "before\n<!-- x -->\nold\n<!-- /x -->\nafter <!-- y --><!-- /y -->\n"
    assert with_block(text, "x", "new") == text.replace("old", "new")
    assert with_block(with_block(text, "x", "new"), "x", "old") == text


@pytest.mark.parametrize("text", ["", "<!-- x -->", "<!-- /x --><!-- x -->", "<!-- x --><!-- /x -->" * 2])
def test_a_page_without_just_one_block_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="page: expected one block between <!-- x --> and <!-- /x -->"):
        with_block(text, "x", "new")
