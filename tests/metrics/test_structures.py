"""Metrics that look for a pattern, a tag, a value of JSON, or a list of words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.metrics.mark import MetricError
from tests.metrics.marking import fault, mark


def test_a_pattern_without_a_group_has_to_be_there() -> None:
    polite = {"name": "regex", "pattern": r"(?i)\bthank you\b"}
    assert mark(polite, "Well, Thank you.").value == 1
    assert mark(polite, "Thanks.").value == 0
    assert fault(polite) == ""


def test_the_group_of_a_pattern_is_compared_at_its_last_match() -> None:
    total = {"name": "regex", "pattern": r"Total: (\S+)"}
    assert mark(total, "Total: 3\nTotal: -8.", "-8").value == 1
    assert mark(total, "Total: -8", "8").value == 0
    assert mark(total, "None", "8").read is None
    assert fault(total) == "The row has no answer to compare with."


@pytest.mark.parametrize(
    ("pattern", "answer", "reference", "value"),
    [
        (r"Total: (\d+)|Sum: (\d+)", "Sum: 8", "8", 1),
        (r"Total: (\d+)|Sum: (\d+)", "Total: 3, Sum: 8", "8", 1),
        (r"(\d+) of (\d+)", "3 of 8", "3", 1),
        (r"(\d+) of (?P<answer>\d+)", "3 of 8", "8", 1),
        (r"(a)?(b)?c", "c", "a", 0),
    ],
)
def test_of_several_groups_one_is_compared(pattern: str, answer: str, reference: str, value: int) -> None:
    assert mark({"name": "regex", "pattern": pattern}, answer, reference).value == value


def test_a_pattern_that_would_go_on_for_ever_is_given_up() -> None:
    with pytest.raises(MetricError, match=r"more than 1 s on an answer to rows\.jsonl, line 7"):
        mark({"name": "regex", "pattern": r"(a+)+\d"}, "a" * 5000)


def test_a_broken_pattern_is_told() -> None:
    with pytest.raises(MetricError, match="pattern “\\(a” of the metric is broken"):
        mark({"name": "regex", "pattern": "(a"}, "a")


def test_what_stands_in_a_tag_is_scored_by_another_metric() -> None:
    tag = {"name": "tag", "tag": "answer"}
    assert mark(tag, "<answer>A</answer>\nOr rather\n<answer> Paris. </answer>", "paris").value == 1
    assert mark(tag, "Paris", "paris").value == 0
    assert mark({**tag, "metric": "number"}, "12 <answer>The sum is -8</answer>", "-8").value == 1
    nested = {**tag, "metric": {"name": "tag", "tag": "city", "metric": "exact"}}
    assert mark(nested, "<answer><city>Paris</city></answer>", "Paris").value == 1
    assert fault({**tag, "metric": "number"}, "x") == "The answer “x” is not a single number."


@pytest.mark.parametrize(
    ("answer", "reference", "value"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"b": [1, 2.0], "a": 1}', 1),
        ('{"a": [2, 1]}', '{"a": [1, 2]}', 0),
        ('{"a": true}', '{"a": 1}', 0),
        ('{"a": "1"}', '{"a": 1}', 0),
        ('{"a": null}', "{}", 0),
        ('Here:\n```json\n{"a": 1}\n```\nDone.', '{"a": 1}', 1),
        ('First {"a": 0}, then {"a": {"b": 1}}.', '{"a": {"b": 1}}', 1),
        ("The set {1, 2} is [1, 2]", "[1, 2]", 1),
        ('{"a": 1', '{"a": 1}', 0),
        ('{"a": 1} as in note [2]', '{"a": 1}', 1),
        ('[2] as in {"a": 1}', "[2]", 1),
        ('```json {"a": 1} ```', '{"a": 1}', 1),
        ('  ```\n  {"a": 1}\n  ```', '{"a": 1}', 1),
        ("true", "true", 1),
        ("yes", "true", 0),
        ("[" * 100_000, "[]", 0),
    ],
)
def test_json_is_compared_by_value(answer: str, reference: str, value: int) -> None:
    assert mark("json", answer, reference).value == value


def test_a_reference_that_is_no_json_is_a_fault_of_the_row() -> None:
    assert "is not JSON" in fault("json", '{"a": NaN}')
    assert fault("json", "{a}") == "The answer “{a}” is not JSON."
    assert fault("json") == "The row has no answer to compare with."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, JSON)
def test_json_is_equal_to_itself_however_it_is_written(value: Any, other: Any) -> None:
    written = json.dumps(value, indent=2)
    assert mark("json", written, json.dumps(value, ensure_ascii=False)).value == 1
    different = json.dumps(value, sort_keys=True) != json.dumps(other, sort_keys=True)
    assert mark("json", written, json.dumps(other)).value == (not different)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("apple banana cherry", 1),
        ("Apple, banana, and cherry.", 1),
        ("Sorted: apple banana cherry", 1),
        ("The sorted list is apple, banana, cherry.", 1),
        ("Apple banana cherry is the list.", 0),
        ("These are apple banana", 0),
        ("The list is cherry apple banana. Sorted it is: apple banana cherry. I hope this helps!", 1),
        ("- apple\n- banana\n- cherry", 1),
        ("Here you are:\n\n1. apple\n2. banana\n3. cherry\n\nAnything else?", 1),
        ("apple\nbanana\ncherry", 1),
        ("apple -> banana -> cherry", 1),
        ("apple; banana; cherry", 1),
        ("Sorted; this is it: apple; banana; cherry.", 1),
        ("1) apple 2) banana 3) cherry", 1),
        ("1. apple 2. banana 3. cherry", 1),
        ("a. apple\nb. banana\nc. cherry", 1),
        ("apple < banana < cherry", 1),
        ("| apple | banana | cherry |", 1),
        (r"\boxed{\text{apple, banana, cherry}}", 1),
        ("apple; banana", 0),
        ("**apple** *banana* `cherry`", 1),
        ("banana apple cherry", 0),
        ("apple banana", 0),
        ("apple banana cherry date", 0),
        ("apple banana date cherry", 0),
        ("apple\nbanana\ncherry\ndate", 0),
        ("apple banana cherry\nor\ncherry banana apple", 0),
        ("I do not know.", 0),
        ("", 0),
    ],
)
def test_a_list_of_words_is_complete_and_in_order(answer: str, value: int) -> None:
    assert mark("word_list", answer, "apple banana cherry").value == value


def test_the_order_may_make_no_difference() -> None:
    loose = {"name": "word_list", "ordered": False}
    assert mark(loose, "cherry, apple, banana", "apple banana cherry").value == 1
    assert mark(loose, "cherry, apple, apple", "apple banana cherry").value == 0
    assert mark("word_list", "b a", "a b", "b a").value == 1


@given(st.lists(st.from_regex(r"[a-z]{2,6}", fullmatch=True), min_size=1, max_size=8), st.randoms())
def test_a_list_is_right_in_every_layout_and_wrong_in_another_order(words: list[str], rng: Any) -> None:
    words = [word for word in words if word not in {"and", "then"}] or ["one"]
    for layout in (" ".join(words), ", ".join(words), "\n".join(f"* {word}" for word in words)):
        assert mark("word_list", f"Sorted:\n{layout}\n\nDone!", " ".join(words)).value == 1
    shuffled = rng.sample(words, len(words))
    assert mark("word_list", " ".join(shuffled), " ".join(words)).value == (shuffled == words)
