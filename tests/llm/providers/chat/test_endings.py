"""A reason to stop is understood in the words of every provider, and of those that nobody has listed yet."""

import pytest

from spotui.llm.providers.chat.bodies import read_ending

WORDS = {
    "stop": "stop END_TURN stop_sequence eos_token COMPLETE FinishReason.STOP "
    "FINISH_REASON_STOP done succeeded",
    "length": "length MAX_TOKENS max_output_tokens maxOutputTokens model_length ERROR_LIMIT "
    "exceeded_context model_context_window_exceeded output_limit out_of_tokens "
    "cut_off token_budget_exceeded incomplete",
    "content_filter": "content_filter SAFETY RECITATION SPII BLOCKLIST LANGUAGE guardrail_intervened "
    "sensitive ERROR_TOXIC refusal MODEL_ARMOR high_risk illegal unsafe flagged "
    "dangerous nsfw violence jailbreak restricted disallowed 敏感 "
    "content_filter:RECITATION IMAGE_PROHIBITED_CONTENT data_inspection_failed",
    "aborted": "network_error ERROR USER_CANCEL insufficient_system_resource timeout abort "
    "load_shed preempted connection_closed engine_overloaded rate_limit",
    "other": "tool_calls function_call OTHER MALFORMED_FUNCTION_CALL pause_turn",
    None: "null None undefined FINISH_REASON_UNSPECIFIED in_progress",
}


@pytest.mark.parametrize(("meaning", "words"), WORDS.items())
def test_every_word_has_its_meaning(meaning: str | None, words: str) -> None:
    assert {word: read_ending(word) for word in words.split()} == dict.fromkeys(words.split(), meaning)
