"""Every provider's words for why a model stopped."""

import pytest

from spotui.llm.providers.chat.finish_reason import read_ending

WORDS = {
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
    ("ending", "word"), [(ending, word) for ending, words in WORDS.items() for word in words.split()]
)
def test_words_that_mean(ending: str, word: str) -> None:
    assert read_ending(word) == ending


@pytest.mark.parametrize("written", [None, "", "null", "None", 3, True, {}, "FINISH_REASON_UNSPECIFIED"])
def test_nothing_is_no_reason(written: object) -> None:
    assert read_ending(written) is None
