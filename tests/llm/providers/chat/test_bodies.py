"""The bodies of requests, and the words in which replies say why they ended."""

import pytest

from spotui.domain.calls import Request
from spotui.domain.messages import Message
from spotui.llm.providers.chat.bodies import read_ending, request_body

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


ENDINGS = {
    "stop": "stop STOP eos eos_token end_turn stop_sequence COMPLETE normal FinishReason.STOP done",
    "length": (
        "length max_tokens MAX_TOKENS model_length max_output_tokens model_context_window_exceeded"
        " ERROR_LIMIT token_limit FINISH_REASON_MAX_TOKENS max_new_tokens"
    ),
    "content_filter": (
        "content_filter content-filter content_filtered SAFETY recitation BLOCKLIST PROHIBITED_CONTENT spii"
        " language LANGUAGE IMAGE_SAFETY FinishReason.SAFETY FINISH_REASON_RECITATION refusal sensitive"
        " guardrail_intervened ERROR_TOXIC MODEL_ARMOR policy_violation blocked content_filter:RECITATION"
    ),
    "aborted": "error abort ABORTED insufficient_system_resource network_error user_cancel server_error",
    "other": "tool_calls function_call tool_use pause_turn OTHER malformed_function_call",
}


@pytest.mark.parametrize(
    ("ending", "word"), [(ending, word) for ending, words in ENDINGS.items() for word in words.split()]
)
def test_words_that_mean(ending: str, word: str) -> None:
    assert read_ending(word) == ending


@pytest.mark.parametrize("written", [None, "", "null", "None", 3, True, {}, "FINISH_REASON_UNSPECIFIED"])
def test_nothing_is_no_reason(written: object) -> None:
    assert read_ending(written) is None
