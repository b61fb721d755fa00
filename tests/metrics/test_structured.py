"""The metrics of tools that are called, and of JSON that follows a schema."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.metrics.mark import MetricError
from tests.metrics.marking import fault, mark

CALLS = '[{"name": "weather", "arguments": {"city": "Oslo", "days": 2}}, {"name": "time", "arguments": {}}]'


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (CALLS, True),
        (f"Let me look.\n{CALLS}", True),
        (f"```json\n{CALLS}\n```", True),
        (f"I call {CALLS} now.", True),
        (f"<tool_call>{CALLS[1:-1].replace('}}, ', '}}</tool_call><tool_call>')}</tool_call>", True),
        (CALLS.replace("arguments", "parameters"), True),
        (f'{{"a": 1}}, so {CALLS}', True),
        (
            '[{"name":"time"},{"function":{"arguments":"{\\"days\\":2.0,\\"city\\":\\"Oslo\\"}","name":"weather"}}]',
            True,
        ),
        ('[{"name": "weather", "arguments": {"city": "Oslo", "days": 2}}]', False),
        ('[{"name": "weather", "arguments": {"city": "Oslo", "days": 3}}, {"name": "time"}]', False),
        ('[{"name": "weather", "arguments": "{broken"}, {"name": "time"}]', False),
        ("It is sunny.", False),
        ("", False),
    ],
)
def test_names_and_arguments_of_all_calls_have_to_be_equal(answer: str, right: bool) -> None:
    assert mark("tool_call", answer, CALLS).value == right
    assert mark("tool_call", answer, "[]").value == (answer in ("", "It is sunny."))


def test_the_order_of_calls_counts_where_it_is_wanted() -> None:
    turned = json.dumps(json.loads(CALLS)[::-1])
    assert mark("tool_call", turned, CALLS).value == 1
    ordered = {"name": "tool_call", "ordered": True}
    assert mark(ordered, turned, CALLS).value == 0
    assert mark(ordered, turned, CALLS, turned).value == 1
    assert mark(ordered, turned, CALLS).read == 'time({}); weather({"city": "Oslo", "days": 2})'


def test_a_reference_has_to_be_a_list_of_calls() -> None:
    assert "is not a list of calls of tools such as" in fault("tool_call", "sunny")
    assert fault("tool_call", CALLS) == ""
    assert fault("tool_call") == "The row has no answer to compare with."


SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("answer", "value", "read"),
    [
        ('{"city": "Oslo", "days": 2}', 1, "Oslo"),
        ('Here it is:\n```json\n{"city": "Oslo"}\n```', 1, "Oslo"),
        ('{"city": "Oslo", "days": 0}', 0, "days: 0 is less than the minimum of 1"),
        ('{"days": 1}', 0, "'city' is a required property"),
        ("Oslo", 0, None),
    ],
)
def test_an_answer_is_valid_or_the_first_fault_is_named(answer: str, value: float, read: str | None) -> None:
    found = mark({"name": "schema", "schema": SCHEMA}, answer)
    assert found.value == value
    assert (found.read is None) if read is None else (read in (found.read or ""))


def test_a_schema_that_is_none_is_refused_with_its_place() -> None:
    with pytest.raises(MetricError, match=r"The schema is not valid: properties\.a\.type: 'txt'"):
        mark({"name": "schema", "schema": {"properties": {"a": {"type": "txt"}}}}, "{}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=8), st.dictionaries(st.text(max_size=4), JSON)), max_size=4
    )
)
def test_calls_are_equal_however_they_are_written(calls: list[tuple[str, dict[str, object]]]) -> None:
    plain = [{"name": name, "arguments": arguments} for name, arguments in calls]
    nested = [
        {"id": "x", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for name, arguments in reversed(calls)
    ]
    reference = json.dumps(plain, ensure_ascii=False)
    assert fault("tool_call", reference) == ""
    assert mark("tool_call", json.dumps(nested, indent=1), reference).value == 1
    assert mark("tool_call", json.dumps([*nested, {"name": "more"}]), reference).value == 0
