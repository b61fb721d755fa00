"""Edits of a YAML text: the value changes, every other byte stays."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from spotui.templates.yaml.composer import load
from spotui.templates.yaml.edit import Editor
from spotui.templates.yaml.emit import mapping_lines, quoted
from spotui.templates.yaml.nodes import MappingNode, Plain, SequenceNode

letters = st.sampled_from("ab:-#?,[]{}&*!|>'\"%@` \n\t\r\\~\0\x07\x85\u2028\ufeffé猫😀0") | st.characters(
    exclude_categories=["Cs"]
)
texts = st.text(letters, max_size=30) | st.sampled_from(
    [
        "Yes",
        "null",
        "~",
        "1e3",
        "0x10",
        "12:30",
        "2024-01-01",
        "=",
        "<<",
        "- a",
        "a: b",
        " a\n b",
        "\n\na\n",
        "---",
        "...\n",
    ]
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below, max_size=3),
    max_leaves=8,
)


def edited(text: str, key: str, value: Plain) -> str:
    root = load(text)
    assert isinstance(root, MappingNode)
    editor = Editor(text, root)
    editor.put(root, key, value, after=("a", "b"))
    return editor.text()


def arranged(text: str, order: list[int | Plain]) -> str:
    root = load(text)
    assert isinstance(root, MappingNode)
    rows = root.entries["rows"].value
    assert isinstance(rows, SequenceNode)
    editor = Editor(text, root)
    editor.arrange(rows, [rows.items[each] if isinstance(each, int) else each for each in order])
    return editor.text()


@given(st.dictionaries(texts, plain, min_size=1, max_size=4))
def test_written_data_reads_back_the_same(data: dict[str, Plain]) -> None:
    written = mapping_lines(data, 0) + "\n"
    assert repr(load(written).data()) == repr(data)


@given(texts)
def test_a_written_text_is_the_same_text_to_any_yaml_parser(text: str) -> None:
    assert yaml.safe_load(mapping_lines({"a": {"b": [text]}}, 0) + "\n") == {"a": {"b": [text]}}
    assert json.loads(quoted(text)) == text


def test_several_lines_are_written_as_they_are() -> None:
    assert (
        mapping_lines({"a": "one  \ntwo: 猫 😀\n\n#three"}, 0) == "a: |-\n  one  \n  two: 猫 😀\n\n  #three"
    )


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("a: x\nb:   y   # why\nc: z\n", "w", "a: x\nb:   w   # why\nc: z\n"),
        ("b: 'y'\n", "it's", "b: 'it''s'\n"),
        ('b: "y" # c\n', "w", 'b: "w" # c\n'),
        ("b: |  # c\n    y\n\n# end\n", "v\nw\n", "b: |  # c\n    v\n    w\n\n# end\n"),
        ("b: >-\n  y\n  y\nc: 1\n", "w", "b: |-\n  w\nc: 1\n"),
        ("b: |+\n  y\n\n\nc: 1\n", "w\n", "b: |\n  w\nc: 1\n"),
        ("b: y # c\n", "v\nw", "b: |- # c\n  v\n  w\n"),
        ("b: # c\nc: 1\n", "w", "b: w # c\nc: 1\n"),
        ("b:\nc: 1\n", "w", "b: w\nc: 1\n"),
        ("b:  # c\n  y: 1\n  z: 2\n", "w", "b: w  # c\n"),
        ("b:\n  y # c\n", "w", "b: w # c\n"),
        ('b: "y\n  z"\nc: 1\n', "w", 'b: "w"\nc: 1\n'),
        ("b: y", "w", "b: w"),
        ("b: y", "w\n\nv\n", "b: |\n  w\n\n  v\n"),
        ("b: y\n", ["v", {"k": 1}], "b:\n  - v\n  - k: 1\n"),
        ("b: y # c\n", {"k": {"l": None}}, "b: # c\n  k:\n    l: null\n"),
        ("b: [1, 2] # c\n", [], "b: [] # c\n"),
        ("{b: y, c: 1}\n", "w", '{b: "w", c: 1}\n'),
        ('{"b":"y","c":1}', ["w"], '{"b":["w"],"c":1}'),
        ("{b: }\n", 5, "{b: 5}\n"),
        ("a: &x y\nb: *x # c\n", "w", "a: &x y\nb: w # c\n"),
    ],
)
def test_a_value_is_replaced_in_its_own_style(text: str, value: Plain, expected: str) -> None:
    assert edited(text, "b", value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: x # c\n# about d\nd: y\n", "a: x # c\nb: w\n# about d\nd: y\n"),
        ("a: x\n\nd: y\n", "a: x\n\nb: w\n\nd: y\n"),
        ("d: y\nc:\n  - 1\n    # deep\n# end\n", "d: y\nc:\n  - 1\n    # deep\nb: w\n# end\n"),
        ("a: |\n  x\n\nd: 1", "a: |\n  x\n\nb: w\n\nd: 1"),
        ("{}", '{"b": "w"}'),
        ("{d: 1}", '{d: 1, "b": "w"}'),
    ],
)
def test_a_new_key_stands_below_what_it_should_follow(text: str, expected: str) -> None:
    assert edited(text, "b", "w") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n# c\nb:\n  - x\n  - y # d\nc: 2\n", "a: 1\n# c\nc: 2\n"),
        ("b: 1\nc: 2\n", "c: 2\n"),
        ("a: 1\n\nb:\n  - x\n\nc: 2\n", "a: 1\n\nc: 2\n"),
        ("a: 1\n\nb: 2\n", "a: 1\n"),
        ("a: |\n  x\nb: 2", "a: |\n  x\n"),
        ("{a: 1, b: 2, c: 3}", "{a: 1, c: 3}"),
        ("{b: 2, c: 3}", "{c: 3}"),
        ("{b: 2}", "{}"),
    ],
)
def test_a_key_is_removed_with_its_value_and_nothing_else(text: str, expected: str) -> None:
    root = load(text)
    assert isinstance(root, MappingNode)
    editor = Editor(text, root)
    editor.remove(root, "b")
    assert editor.text() == expected


ROWS = """\
rows:  # all of them

  # the first
  # of all
  - k: 1  # one
    # still one

  # two

  # and more of two
  - k: |
        two
  -
    k: 3
# end
c: d
"""


def test_items_take_their_comments_along_and_blank_lines_stay() -> None:
    assert arranged(ROWS, [0, 1, 2]) == ROWS
    assert (
        arranged(ROWS, [1, 2, 0])
        == """\
rows:  # all of them

  # two

  # and more of two
  - k: |
        two

  -
    k: 3
  # the first
  # of all
  - k: 1  # one
    # still one
# end
c: d
"""
    )


def test_items_are_added_in_the_style_of_the_list_and_removed() -> None:
    assert (
        arranged(ROWS, [2, {"k": "new\nlines\n", "l": 1}, "x"])
        == """\
rows:  # all of them

  -
    k: 3

  - k: |
        new
        lines
    l: 1
  - x
# end
c: d
"""
    )


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("rows:\n- a\n- b\n", [1, {"k": "v"}, 0], "rows:\n- b\n- k: v\n- a\n"),
        (
            "rows:\n-   k: a\n    l: b\n",
            [{"k": 1, "l": 2}, 0],
            "rows:\n-   k: 1\n    l: 2\n-   k: a\n    l: b\n",
        ),
        ("rows: [a, {k: b},  c] # x\n", [2, 1, "d, e"], "rows: [c, {k: b},  'd, e'] # x\n"),
        ('{"rows": [\n  {"k": 1},\n  2\n]}', [1, 0, "z"], '{"rows": [\n  2,\n  {"k": 1},\n  "z"\n]}'),
        ("rows:\n  - [a]\n  - {k: v}", [1], "rows:\n  - {k: v}"),
        ("rows:\n  - a\n\n  - b\n\n  - c\n", [0, 1, 2, "d"], "rows:\n  - a\n\n  - b\n\n  - c\n\n  - d\n"),
    ],
)
def test_lists_of_every_style_are_arranged(text: str, order: list[int | Plain], expected: str) -> None:
    assert arranged(text, order) == expected


def test_edits_inside_an_item_move_with_it() -> None:
    root = load(ROWS)
    assert isinstance(root, MappingNode)
    rows = root.entries["rows"].value
    assert isinstance(rows, SequenceNode)
    first, second, third = rows.items
    assert isinstance(first, MappingNode)
    assert isinstance(third, MappingNode)
    editor = Editor(ROWS, root)
    editor.put(first, "k", 10)
    editor.put(third, "l", "new")
    editor.arrange(rows, [third, first, second])
    editor.put(root, "e", "f")
    assert load(editor.text()).data() == {
        "rows": [{"k": 3, "l": "new"}, {"k": 10}, {"k": "two\n"}],
        "c": "d",
        "e": "f",
    }
    assert "- k: 10  # one\n    # still one\n" in editor.text()
