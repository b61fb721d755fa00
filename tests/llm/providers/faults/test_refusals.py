"""Which parameter a server complains about, and what of it a person must hear."""

import msgspec
import pytest

from spotui.domain.calls import Request
from spotui.domain.messages import Message
from spotui.llm.providers.faults.refusals import Concessions, Refusal, refusal_in
from spotui.llm.providers.faults.server_fault import ServerFault

BODY = {"stream": True, "stream_options": {}, "temperature": 0.7, "max_tokens": 4096, "logprobs": True}
BODY |= {"top_logprobs": 20, "grammar": "root", "response_format": {"type": "json_object"}}


@pytest.mark.parametrize(
    ("status", "message", "refusal"),
    [
        (400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens"),
        (400, "stream_options is only allowed when stream is enabled", "stream_options"),
        (500, "create() got an unexpected keyword argument 'stream_options'", "stream_options"),
        (422, "body.stream_options: Extra inputs are not permitted", "stream_options"),
        (400, "This model does not support streaming", "stream"),
        (403, "Your organization must be verified to stream this model.", "stream"),
        (400, "temperature is deprecated for this model", "temperature"),
        (400, "`temperature` may only be set to 1 when thinking is enabled.", "temperature"),
        (400, "invalid temperature: only 1 is allowed for this model", "temperature"),
        (400, "Only the default (1) temperature is supported.", "temperature"),
        (400, "temperature must be in (0, 1)", "temperature"),
        (400, "该模型不支持 logprobs 参数", "logprobs"),
        (400, "Logprobs is not enabled for models/gemini-2.5-flash", "logprobs"),
        (400, "Unsupported parameter: 'top_logprobs'", "top_logprobs"),
        (400, "'response_format.type' must be 'json_schema' or 'text'", "response_format"),
        (400, "'messages' must contain the word 'json' to use 'json_object'", "response_format"),
        (400, "JSON mode is not enabled for this model", "response_format"),
        (400, "Structured output is not supported", "response_format"),
        (400, "guided decoding is disabled", "response_format"),
        (400, "Response MIME type 'application/json' is not supported by this model", "response_format"),
        (400, "Unsupported parameters were sent.", "stream_options"),
        (422, "body.grammar: Extra inputs are not permitted", "grammar"),
        (400, "Unknown parameter: 'grammar'", "grammar"),
        (400, "Failed to parse grammar", None),
        (400, "Unsupported parameter: 'seed'", None),
        (400, "Unsupported parameter: seed", None),
        (400, "Unknown role in the conversation", None),
        (500, "temperature sensor of the server is broken", None),
        (429, "temperature is not supported: rate limit", None),
        (400, "", None),
    ],
)
def test_what_is_left_out(status: int, message: str, refusal: str | None) -> None:
    wanted = None if refusal is None else Refusal(refusal)
    assert refusal_in(BODY, ServerFault(status, message)) == wanted


@pytest.mark.parametrize(
    ("status", "message", "is_refused"),
    [
        (400, "System role not supported", True),
        (500, "Jinja Exception: System role not supported", True),
        (400, "Developer instruction is not enabled for models/gemma-3-27b-it", True),
        (400, "Unsupported value: 'messages[0].role' does not support 'system' with this model.", True),
        (400, 'Unexpected role "system". The Messages API accepts a top-level parameter.', True),
        (500, "Conversation roles must alternate user/assistant/user/assistant/...", True),
        (422, "Invalid role: system", True),
        (400, "The system prompt is too long.", False),
        (500, "The system is overloaded.", False),
        (429, "System role not supported", False),
    ],
)
def test_a_system_message_is_refused_in_many_words(status: int, message: str, is_refused: bool) -> None:
    fault = ServerFault(status, message)
    said = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    assert refusal_in({**BODY, "messages": said}, fault) == (Refusal("system") if is_refused else None)
    assert (refusal_in({**BODY, "messages": said[1:]}, fault) or Refusal("")).name != "system"


@pytest.mark.parametrize(
    ("message", "name", "most"),
    [
        ("Invalid value: top_logprobs must be less than or equal to 5", "top_logprobs", 5),
        ("top_logprobs: 20 is out of the range [0, 8]", "top_logprobs", 8),
        ("Requested sample logprobs of 20, which is greater than max allowed: 5", "top_logprobs", 5),
        ("temperature must be at most 0.5 for gpt-0.6-mini", "temperature", 0.5),
        ("temperature should be in (0.0, 0.5]", "temperature", 0.5),
        ("top_logprobs value 20 not in [0, 11]", "top_logprobs", 11),
        ("max_tokens is too large: 4096. This model supports at most 2,000 tokens.", "max_tokens", 2000),
        ("Invalid max_tokens value, the valid range of max_tokens is [1,2048]", "max_tokens", 2048),
        ("maxOutputTokens value of 4096, but the range is from 1 to 2049 (exclusive)", "max_tokens", 2048),
        ("max_output_tokens must be in the range [1, 2049)", "max_tokens", 2048),
        ("`max_tokens` must be less than or equal to `1024`, the maximum for m", "max_tokens", 1024),
        ("max_tokens: 4096 > 2048, the maximum of output tokens for claude-3-haiku", "max_tokens", 2048),
        ("Expected a value <= 2048 for max_tokens, but got 4096 instead.", "max_tokens", 2048),
        ("The maximum tokens you requested exceeds the model limit of 2048", "max_tokens", 2048),
    ],
)
def test_what_is_lowered_to_the_most_that_the_server_names(message: str, name: str, most: float) -> None:
    assert refusal_in(BODY, ServerFault(400, message)) == Refusal(name, most)


@pytest.mark.parametrize(
    ("message", "room"),
    [
        ("'max_tokens' is too large: 4096. The maximum is 2048, with 120 input tokens (> 2048 - 120)", 1928),
        ("maximum context length is 2048, you requested 4216 tokens (120 in the messages, 4096 more)", 1928),
        ("This model's maximum context length is 8,192 tokens, but 9,096 (5,000 in your prompt).", 3192),
        ("`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 120 `inputs` tokens and 4096", 1928),
        ("input length and `max_tokens` exceed context limit: 6000 + 4096 > 8192", 2192),
    ],
)
def test_a_reply_gets_what_the_prompt_leaves_of_the_window(message: str, room: int) -> None:
    assert refusal_in(BODY, ServerFault(400, message)) == Refusal("max_tokens", room, is_room=True)


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 2048 tokens, but your prompt has 3000 tokens.",
        "This model's maximum context length is 2048 tokens. You requested 6096 (2000 in the messages).",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ],
)
def test_a_prompt_that_fills_the_window_leaves_nothing_to_lower(message: str) -> None:
    assert refusal_in(BODY, ServerFault(400, message)) is None


def test_a_parameter_that_was_not_sent_cannot_be_left_out() -> None:
    assert refusal_in({"stream": True}, ServerFault(400, "temperature is not supported")) is None
    assert refusal_in({"max_tokens": 9}, ServerFault(400, "maximum context length is 8 tokens")) is None


def test_the_newer_name_of_a_limit_can_be_refused_too() -> None:
    fault = ServerFault(400, "Unrecognized request argument: max_completion_tokens")
    assert refusal_in({"max_completion_tokens": 9}, fault) == Refusal("max_completion_tokens")


def test_what_was_conceded_is_kept_together_the_lower_value_of_each() -> None:
    long = Request("m", (Message("user", "word " * 500),), max_tokens=4096, temperature=1.5, alternatives=20)
    short = msgspec.structs.replace(long, messages=(Message("user", "word"),))
    found = Concessions()
    for refusal in (
        Refusal("temperature", 1.0),
        Refusal("top_logprobs", 8),
        Refusal("top_logprobs", 5),
        Refusal("max_tokens", 1000, is_room=True),
        Refusal("stream"),
    ):
        found = found.after(refusal, long)
    assert found.refused == {"stream"}
    sent = found.applied(long)
    assert (sent.temperature, sent.alternatives, sent.max_tokens) == (1.0, 5, 1000)
    assert 1400 < (found.applied(short).max_tokens or 0) < 1600
    assert found.limits(long) == {"temperature": 1.0, "top_logprobs": 5, "max_tokens": 1000}
    small = Request("m", (), temperature=0.5, max_tokens=50)
    assert found.applied(small) == small


@pytest.mark.parametrize(
    ("request_", "left_out"),
    [
        (Request("m", (), temperature=0.0, logprobs=True), ("temperature", "logprobs")),
        (Request("m", (), temperature=0.7), ("temperature",)),
        (Request("m", (), alternatives=5), ("logprobs",)),
        (Request("m", (), grammar='root ::= "a"'), ("grammar",)),
        (Request("m", (), max_tokens=5), ()),
        (Request("m", ()), ()),
    ],
)
def test_only_what_was_asked_for_and_had_no_effect_is_worth_telling(
    request_: Request, left_out: tuple[str, ...]
) -> None:
    assert Concessions(frozenset(BODY) - {"top_logprobs"}).left_out(request_) == left_out
    assert Concessions().left_out(request_) == ()
