"""The same request has the same digest, in every process and every later version."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.calls import Request
from spotui.domain.messages import Message
from spotui.llm.protocol import digest_of

REQUEST = Request("m", (Message("system", "Be brief."), Message("user", "Grüß dich \U0001f600")), 0.7)


def test_journals_of_earlier_versions_keep_their_calls() -> None:
    assert digest_of(REQUEST) == "d1c26faa8ba84616f1313e530fc329a8"
    full = msgspec.structs.replace(REQUEST, max_tokens=50, grammar='root ::= "A"', logprobs=True)
    assert digest_of(full) == "ff232d23242266bb9c435ff6de19d1ac"


@pytest.mark.parametrize(
    "change",
    [
        {"model": "n"},
        {"messages": REQUEST.messages[:1]},
        {"messages": REQUEST.messages[::-1]},
        {"messages": (Message("user", "Be brief."), REQUEST.messages[1])},
        {"temperature": None},
        {"temperature": 0.0},
        {"max_tokens": 1},
        {"grammar": ""},
        {"logprobs": True},
    ],
)
def test_whatever_is_asked_otherwise_is_another_request(change: dict[str, Any]) -> None:
    assert digest_of(msgspec.structs.replace(REQUEST, **change)) != digest_of(REQUEST)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_no_text_runs_into_the_next(texts: list[str]) -> None:
    asked = Request("m", tuple(Message("user", text) for text in texts))
    joined = Request("m", (Message("user", "".join(texts)),))
    assert (digest_of(asked) == digest_of(joined)) == (len(texts) == 1)
    assert digest_of(asked) == digest_of(msgspec.json.decode(msgspec.json.encode(asked), type=Request))
