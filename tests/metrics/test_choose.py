"""What a template may say under `metric`."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.rows import Row
from spotui.metrics.choose import METRICS, MetricChoice, make_metric, read_choice

NEEDS: dict[str, dict[str, object]] = {
    "regex": {"pattern": "a"},
    "tag": {"tag": "answer"},
    "label": {"labels": ["3", "4"]},
    "schema": {"schema": {"type": "string"}},
}


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_can_be_chosen_and_made(name: str) -> None:
    choice, faults = read_choice({"name": name, **NEEDS.get(name, {})})
    assert faults == []
    assert choice is not None
    assert callable(make_metric(choice, Path()).mark)


@pytest.mark.parametrize("name", ["Normalised", "normalized", " normalised "])
def test_a_name_may_be_spelt_in_more_than_one_way(name: str) -> None:
    assert read_choice(name) == (MetricChoice("normalised"), [])
    assert read_choice("multiple choice") == read_choice("Multiple-Choice")


def test_a_choice_holds_what_the_template_says() -> None:
    data = {"name": "tag", "tag": "answer", "metric": {"name": "number", "tolerance": 1}}
    inner = MetricChoice("number", {"tolerance": 1.0})
    assert read_choice(data) == (MetricChoice("tag", {"tag": "answer"}, inner), [])
    assert read_choice("my.module:Rules.strict") == (MetricChoice("my.module:Rules.strict"), [])


@pytest.mark.parametrize(
    ("data", "path", "word", "hint"),
    [
        (7, (), "no name", "Write, for example"),
        ({}, (), "no name", "Write, for example"),
        ("", (), "no name", "Write, for example"),
        (["exact"], (), "no name", "Write, for example"),
        ("exakt", (), "Unknown metric `exakt`", "Did you mean `exact`?"),
        ("zzz", (), "Unknown metric `zzz`", "The metrics are exact"),
        ("my module:x", (), "Unknown metric", "The metrics are"),
        ("regex", (), "needs `pattern`", "regular expression"),
        ({"name": "regex", "pattern": 5}, ("pattern",), "not a regular", "Correct"),
        ({"name": "exact", "case": True}, ("case",), "no option `case`", "It takes no options."),
        ({"name": "number", "tolerence": 1}, ("tolerence",), "no option", "It takes tolerance."),
        ({"name": "number", "tolerance": -1}, ("tolerance",), "0 or more", "Correct"),
        ({"name": "number", "tolerance": "1"}, ("tolerance",), "0 or more", "Correct"),
        ({"name": "word_list", "ordered": "no"}, ("ordered",), "true or false", "Correct"),
        ({"name": "rouge_l", "over": "max"}, ("over",), "best or mean", "Correct"),
        ({"name": "tag", "tag": "<answer>"}, ("tag",), "name of a tag", "Correct"),
        ({"name": "tag", "tag": "a", "metric": "exakt"}, ("metric",), "Unknown metric `exakt`", "exact"),
        ({"name": "my:own", "a": 1}, ("a",), "no option", "It takes timeout."),
        ({"name": "my:own", "timeout": 0}, ("timeout",), "not seconds, above 0", "Correct"),
    ],
)
def test_a_mistake_is_reported_once_with_its_key_and_its_hint(
    data: object, path: tuple[str, ...], word: str, hint: str
) -> None:
    choice, (fault,) = read_choice(data)
    assert choice is None
    assert fault.path == path
    assert word in fault.what
    assert hint in fault.hint


@given(
    st.dictionaries(
        st.sampled_from(["name", "tag", "metric", "pattern", "tolerance", "ordered", "over"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.sampled_from([*METRICS]),
    )
)
def test_whatever_is_written_is_read_or_told(data: dict[str, object]) -> None:
    choice, faults = read_choice(data)
    assert (choice is None) == bool(faults)


PIECES = [
    "the answer is ",
    "answer ",
    "option ",
    "#",
    "*",
    "\n",
    "\n- a",
    "(A) ",
    "1,",
    "{",
    "[",
    '"',
    "no ",
    "a ",
]


@pytest.mark.parametrize("name", sorted(METRICS.keys() - {"regex", "bleu", "chrf", "math"}))
def test_no_answer_takes_a_metric_long(name: str) -> None:
    choice, _ = read_choice({"name": name, **NEEDS.get(name, {})})
    assert choice is not None
    metric = make_metric(choice, Path())
    began = time.process_time()
    for piece in PIECES:
        metric.mark(piece * (20_000 // len(piece)), Row("?", ("3",)))
    assert time.process_time() - began < 3
