"""Whatever a server sends in place of a reply, what went wrong is read from it."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.llm.protocol import ModelError
from spotui.llm.providers.faults.http_errors import Target, fault_error
from spotui.llm.providers.faults.server_fault import fault_inside, read_fault

PLACE = Target("test-model", "http://localhost/v1", (), has_key=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["error", "message", "code", "type", "detail", "metadata"]), inner)
        | st.dictionaries(st.sampled_from(["loc", "msg", "param", "status", "raw", "object"]), inner)
    ),
    max_leaves=12,
)
HEADERS = st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text())


@given(
    status=st.integers(300, 599),
    headers=HEADERS,
    body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()),
)
def test_any_answer_makes_an_error_that_says_where_and_what_to_do(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    fault = read_fault(status, headers, body)
    assert fault.status == status
    assert fault.retry_after is None or 0 <= fault.retry_after < float("inf")
    error = fault_error(PLACE, fault)
    assert isinstance(error, ModelError)
    assert "test-model at http://localhost/v1" in error.what
    assert error.what.endswith((".", "!", "?", "…"))
    assert error.hint


@given(JSON)
def test_any_object_in_a_stream_is_a_fault_or_none(payload: object) -> None:
    if isinstance(payload, dict):
        fault = fault_inside(payload)
        assert fault is None or isinstance(fault_error(PLACE, fault), ModelError)
        completion = {"choices": [{"delta": {"content": "a"}}], "message": payload, "detail": "b", "code": 9}
        assert fault_inside(completion) is None


@pytest.mark.parametrize("written", [b"<", b"1", b"1 min ", b"<title", b"model token "])
def test_a_long_page_is_understood_quickly(written: bytes) -> None:
    began = time.process_time()
    fault_error(PLACE, read_fault(429, {"retry-after": "1" * 60_000}, written * 60_000))
    assert time.process_time() - began < 2


@pytest.mark.parametrize("depth", [10, 100_000])
def test_a_nest_of_brackets_is_no_danger(depth: int) -> None:
    assert read_fault(500, {}, b"[" * depth).status == 500


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Fri, 99 Foo 2026"}, None),
        ({"retry-after": "Thu, 01 Jan 99999 00:00:00 GMT"}, None),
        ({"retry-after-ms": "x", "retry-after": "2"}, 2.0),
    ],
)
def test_waits_that_make_no_sense(headers: dict[str, str], seconds: float | None) -> None:
    assert read_fault(429, headers, b"").retry_after == seconds
