"""The metric of evals: each row lists what its answer has to meet."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.metrics.mark import MetricError
from tests.metrics.marking import fault, mark


@pytest.mark.parametrize(
    ("check", "passes", "fails"),
    [
        ({"type": "equals", "value": "Paris"}, " Paris\n", "paris"),
        ({"type": "equals", "value": {"a": [1]}}, '{"a": [1.0]}', '{"a": 1}'),
        ({"type": "contains", "value": "Par"}, "In Paris.", "In paris."),
        ({"type": "icontains", "value": "PAR"}, "In paris.", "In Rome."),
        ({"type": "contains-any", "value": ["a", "b"]}, "xb", "xc"),
        ({"type": "contains-all", "value": ["a", "b"]}, "ba", "b"),
        ({"type": "icontains-any", "value": ["A", "b"]}, "xB", "xc"),
        ({"type": "icontains-all", "value": ["A", "b"]}, "Ba", "b"),
        ({"type": "starts-with", "value": "Yes"}, "Yes!", "Oh yes"),
        ({"type": "ends-with", "value": "!"}, "Yes!", "Yes"),
        ({"type": "regex", "value": r"^\d{3}-\d+$"}, "555-12", "555"),
        ({"type": "is-json"}, '{"a": 1}', 'Here: {"a": 1}'),
        ({"type": "is-json", "value": {"required": ["a"]}}, '{"a": 1}', '{"b": 1}'),
        ({"type": "contains-json", "value": {"required": ["b"]}}, '{"a": 1} {"b": 1}', '{"a": 1}'),
        ({"type": "contains-json"}, 'Here: {"a": [1]} done', "Here: {a}"),
        ({"type": "not-contains", "value": "sorry"}, "Done.", "I am sorry."),
    ],
)
def test_a_check_passes_or_fails(check: dict[str, object], passes: str, fails: str) -> None:
    reference = json.dumps(check)
    assert fault("checks", reference) == ""
    assert mark("checks", passes, reference).value == 1
    failed = mark("checks", fails, reference)
    assert failed.value == 0
    assert failed.read is not None
    assert str(check["type"]) in failed.read


def test_the_mark_is_the_share_of_the_checks_by_their_weights() -> None:
    several = json.dumps(
        [{"type": "contains", "value": "a"}, {"type": "contains", "value": "b", "weight": 3}]
    )
    assert mark("checks", "a", several).value == 0.25
    assert mark("checks", "b", several, '{"type": "is-json"}').value == 0.6
    assert mark("checks", "b", several).read == "failed: contains “a”"


def test_with_a_type_the_answers_are_values_and_one_is_enough() -> None:
    metric = {"name": "checks", "type": "icontains"}
    assert mark(metric, "in PARIS", "Rome", "Paris").value == 1
    assert mark(metric, "in Oslo", "Rome", "Paris").value == 0
    assert mark({"name": "checks", "type": "contains-all"}, "a and b", "a, b").value == 1
    assert mark({"name": "checks", "type": "contains-all"}, "a", '["a", "b"]').value == 0


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("Paris", "The answer “Paris” is not a check."),
        ('{"kind": "x"}', "is not a check"),
        ('{"type": "similar", "value": "x"}', "Unknown check `similar`; the checks are equals, contains,"),
        ('{"type": "regex", "value": "(a"}', "The pattern “(a” is broken"),
        ('{"type": "contains-any", "value": "a"}', "The check `contains-any` needs a list of texts."),
        ('{"type": "contains", "value": 3}', "The check `contains` needs a text."),
        ('{"type": "is-json", "value": "x"}', "The check `is-json` takes a JSON schema, or no value."),
        ('{"type": "is-json", "value": {"type": 3}}', "The schema of a check is not valid: 3 is not valid"),
        ('{"type": "equals", "value": "a", "weight": -1}', "below 0"),
    ],
)
def test_a_reference_that_is_no_check_is_named(reference: str, said: str) -> None:
    assert said in fault("checks", reference)


def test_a_row_without_checks_and_an_unknown_type_are_named() -> None:
    assert fault("checks") == "The row has no answer to compare with."
    with pytest.raises(MetricError, match="Unknown check `similar`"):
        mark({"name": "checks", "type": "similar"}, "a", "a")
    with pytest.raises(MetricError, match=r"A pattern of rows\.jsonl, line 7 takes more than 1 s"):
        mark("checks", "a" * 5000, json.dumps({"type": "regex", "value": r"(a+)+\d"}))


@given(st.text(max_size=40), st.text(min_size=1, max_size=3))
def test_a_check_and_its_opposite_never_agree(answer: str, value: str) -> None:
    one, other = (json.dumps({"type": kind, "value": value}) for kind in ("icontains", "not-icontains"))
    assert mark("checks", answer, one).value + mark("checks", answer, other).value == 1
