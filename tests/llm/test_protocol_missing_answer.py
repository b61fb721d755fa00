"""Each way in which a reply lacks an answer is named, with what to do about it."""

import pytest

from spotui.domain.calls import FinishReason, Reply, Usage
from spotui.llm.protocol import hint_for_missing, lacks_answer, why_missing

COUNTED = Usage(10, 1234)
ESTIMATED = Usage(10, 1234, estimated=True)


def a_reply(
    text: str = "",
    finish: FinishReason = "stop",
    usage: Usage = COUNTED,
    reasoning: str = "",
    refusal: str = "",
) -> Reply:
    return Reply(text, finish, usage, seconds=1.0, reasoning=reasoning, refusal=refusal)


@pytest.mark.parametrize(
    ("reply", "why", "hint"),
    [
        (a_reply(), "The answer is empty.", "another model"),
        (a_reply(" \n"), "The answer is empty.", "another model"),
        (
            a_reply(finish="length"),
            "The length limit ended the answer before its first word.",
            "Raise max_tokens",
        ),
        (
            a_reply(finish="length", reasoning="hm"),
            "The reply has 1,234 tokens of reasoning and no answer.",
            "lower its reasoning effort",
        ),
        (
            a_reply(usage=Usage(10, 1234, reasoning_tokens=1200)),
            "The reply has 1,200 tokens of reasoning and no answer.",
            "reasoning parser",
        ),
        (
            a_reply(usage=ESTIMATED, reasoning="hm"),
            "The reply has ~1,234 tokens of reasoning and no answer.",
            "reasoning parser",
        ),
        (
            a_reply(refusal="I cannot  help."),
            'The model refused to answer: "I cannot help".',
            "Change the text",
        ),
        (
            a_reply("half", "content_filter"),
            "A content filter stopped the answer in the middle.",
            "Change the text",
        ),
        (
            a_reply(finish="content_filter"),
            "A content filter stopped the answer before its first word.",
            "Change",
        ),
    ],
)
def test_the_reason_is_named(reply: Reply, why: str, hint: str) -> None:
    assert lacks_answer(reply)
    assert why_missing(reply) == why
    assert hint in hint_for_missing(reply)


@pytest.mark.parametrize("finish", ["stop", "length", "other"])
def test_a_text_is_an_answer(finish: FinishReason) -> None:
    assert not lacks_answer(a_reply("four", finish))


def test_a_long_refusal_is_quoted_in_part() -> None:
    assert len(why_missing(a_reply(refusal="no " * 500))) < 300
