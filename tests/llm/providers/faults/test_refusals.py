"""Which parameter a server complains about, and what of it a person must hear."""

import pytest

from spotui.llm.protocol import Request
from spotui.llm.providers.faults.refusals import ineffective, refused_parameter
from spotui.llm.providers.faults.server_fault import ServerFault

BODY = {"stream": True, "stream_options": {}, "temperature": 0.7, "max_tokens": 5, "logprobs": True}
JUDGES_BODY = {**BODY, "top_logprobs": 20, "response_format": {"type": "json_object"}}


@pytest.mark.parametrize(
    ("message", "parameter"),
    [
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens"),
        ("stream_options is only allowed when stream is enabled", "stream_options"),
        ("This model does not support streaming", "stream"),
        ("temperature is deprecated for this model", "temperature"),
        ("该模型不支持 logprobs 参数", "logprobs"),
        ("Unsupported parameter: 'seed'", None),
        ("temperature must be at most 1", None),
        ("", None),
    ],
)
def test_the_parameter_in_a_servers_words(message: str, parameter: str | None) -> None:
    assert refused_parameter(BODY, ServerFault(400, message)) == parameter


@pytest.mark.parametrize(
    ("message", "parameter"),
    [
        ("Unsupported parameter: 'top_logprobs'", "top_logprobs"),
        ("response_format is not supported by this model", "response_format"),
        ("logprobs is not supported", "logprobs"),
    ],
)
def test_what_only_a_judge_asks_for_can_be_refused_too(message: str, parameter: str) -> None:
    assert refused_parameter(JUDGES_BODY, ServerFault(400, message)) == parameter


def test_a_parameter_that_was_not_sent_cannot_be_left_out() -> None:
    fault = ServerFault(400, "temperature is not supported")
    assert refused_parameter({"stream": True}, fault) is None


@pytest.mark.parametrize(
    ("request_", "left_out"),
    [
        (Request("m", (), temperature=0.0, logprobs=True), ("temperature", "logprobs")),
        (Request("m", (), temperature=0.7), ("temperature",)),
        (Request("m", (), alternatives=5), ("logprobs",)),
        (Request("m", (), max_tokens=5), ()),
        (Request("m", ()), ()),
    ],
)
def test_only_what_was_asked_for_and_had_no_effect_is_worth_telling(
    request_: Request, left_out: tuple[str, ...]
) -> None:
    assert ineffective(request_, frozenset(BODY)) == left_out
    assert ineffective(request_, frozenset()) == ()
