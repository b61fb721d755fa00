"""What goes through the door comes back from the journal as it was."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.calls import Reply, Usage

texts = st.text(st.characters(exclude_categories=["Cs"]))
counts = st.integers(0, 10**9)
seconds = st.floats(0, 1e6)


@given(
    st.builds(
        Reply,
        text=texts,
        finish_reason=st.sampled_from(["stop", "length", "content_filter", "other"]),
        usage=st.builds(Usage, counts, counts, counts, counts, st.booleans()),
        seconds=seconds,
        first_token_seconds=st.none() | seconds,
        reasoning=texts,
        cost_usd=st.none() | seconds,
        logprobs=st.lists(st.floats(-1e3, 0)).map(tuple),
        left_out=st.lists(st.sampled_from(["temperature", "logprobs"])).map(tuple),
    )
)
def test_a_reply_survives_the_journal(reply: Reply) -> None:
    assert msgspec.json.decode(msgspec.json.encode(reply), type=Reply) == reply


def test_what_a_reply_does_not_have_is_not_written() -> None:
    reply = Reply("four", "stop", Usage(3, 1), 0.5)
    assert msgspec.json.decode(msgspec.json.encode(reply)) == {
        "text": "four",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
        "seconds": 0.5,
    }


def test_fields_of_a_later_version_are_passed_over() -> None:
    written = (
        b'{"text": "four", "finish_reason": "stop", "usage": {"prompt_tokens": 3, "completion_tokens": 1},'
        b' "seconds": 0.5, "mood": "good"}'
    )
    assert msgspec.json.decode(written, type=Reply) == Reply("four", "stop", Usage(3, 1), 0.5)


def test_reasoning_is_part_of_the_completion() -> None:
    assert Usage(10, 5, reasoning_tokens=4).total == 15
