"""The colours of a template's lines: pure text in, parts out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.settings.resources import examples
from spotui.templates.model import KEYS
from spotui.view.template_text import NO_BLOCK, Part, indent_below, read_line


def said(line: str, block: int = NO_BLOCK) -> list[tuple[str, str]]:
    return [(line[one.start : one.end], one.kind) for one in read_line(line, block)[0]]


def all_parts(text: str) -> list[list[Part]]:
    found, block = [], NO_BLOCK
    for line in text.split("\n"):
        parts, block = read_line(line, block)
        found.append(parts)
    return found


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("prompt: Say it.", [("prompt", "key"), (":", "mark")]),
        (
            "count: None # most words",
            [("count", "key"), (":", "mark"), ("None", "constant"), ("# most words", "comment")],
        ),
        ("  - question: |", [("-", "mark"), ("question", "key"), (":", "mark"), ("|", "mark")]),
        (
            'answer: "a: # b" # c',
            [("answer", "key"), (":", "mark"), ('"a: # b"', "quoted"), ("# c", "comment")],
        ),
        ("answer: it's 10:30, see http://x.y/#z", [("answer", "key"), (":", "mark")]),
        ("# prompt: not now", [("# prompt: not now", "comment")]),
        ("answer: None of them", [("answer", "key"), (":", "mark")]),
        ("- -", [("- -", "mark")]),
        ("", []),
    ],
)
def test_a_line_has_its_parts(line: str, parts: list[tuple[str, str]]) -> None:
    assert said(line) == parts


def test_a_text_block_is_text_until_a_line_stands_further_left() -> None:
    text = "qa:\n  - question: |\n      key: value # text\n\n    answer: 3\nprompt: >-\n  - no dash\ncount: 1"
    kinds = [[one.kind for one in parts] for parts in all_parts(text)]
    assert kinds[2] == kinds[3] == kinds[6] == []
    assert kinds[4] == kinds[7] == ["key", "mark", "constant"]


def test_every_example_has_its_keys_coloured() -> None:
    for path in examples():
        text = path.read_text()
        lines = text.split("\n")
        keys = {
            line[one.start : one.end]
            for line, parts in zip(lines, all_parts(text), strict=True)
            for one in parts
            if one.kind == "key"
        }
        rows = {"data"} if "data:" in lines else {"qa", "question", "answer"}
        assert {"prompt", "requirements", *rows} <= keys, path
        assert keys - {*rows, "executor", "command", "path", "split"} <= {*KEYS}, path


@given(st.lists(st.text("ab:-#|>'\" \t{1None你"), max_size=6))
def test_parts_are_in_order_and_inside_their_line(lines: list[str]) -> None:
    for line, parts in zip(lines, all_parts("\n".join(lines)), strict=False):
        ends = [0, *(place for one in parts for place in (one.start, one.end)), len(line)]
        assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("line", "indent"),
    [
        ("prompt: x", 0),
        ("qa:", 2),
        ("requirements: |", 2),
        ("    answer: x", 4),
        ("  - question: x", 4),
        ("  - question: |", 6),
        ("  - question:", 6),
        ("      Some text: a thing", 6),
        ("", 0),
    ],
)
def test_a_new_line_begins_below_its_key(line: str, indent: int) -> None:
    assert indent_below(line, len(line)) == " " * indent


def test_a_line_break_in_front_of_a_line_indents_nothing() -> None:
    assert indent_below("  - question: x", 0) == ""
