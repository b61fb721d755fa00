"""A request's body."""

import pytest

from spotui.llm.providers.chat.bodies import request_body
from spotui.workspace.journal_reader import Message, Request

REQUEST = Request(
    "m",
    (Message("user", "Hi \ud83d"),),
    temperature=0.7,
    max_tokens=5,
    grammar="g",
    logprobs=True,
    alternatives=20,
    json=True,
)


@pytest.mark.parametrize(
    ("refused", "gone"),
    [
        ((), set()),
        (("temperature",), {"temperature"}),
        (("stream_options",), {"stream_options"}),
        (("stream",), {"stream", "stream_options"}),
        (("logprobs",), {"logprobs", "top_logprobs"}),
        (("top_logprobs",), {"top_logprobs"}),
        (("response_format",), {"response_format"}),
        (("max_tokens",), {"max_tokens"}),
    ],
)
def test_what_was_refused_is_not_sent_again(refused: tuple[str, ...], gone: set[str]) -> None:
    whole = request_body(REQUEST, "wire-name", frozenset())
    body = request_body(REQUEST, "wire-name", frozenset(refused))
    assert set(whole) - set(body) == gone
    assert body["model"] == "wire-name"
    assert body["messages"] == [{"role": "user", "content": "Hi \ufffd"}]
    assert body.get("max_completion_tokens") == (5 if "max_tokens" in gone else None)
