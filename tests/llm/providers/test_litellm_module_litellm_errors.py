"""What litellm raises, told apart, and never with the key."""

import functools
import socket
import time
from typing import Any

import pytest

from spotui.llm.protocol import (
    AuthenticationError,
    BadRequestError,
    ContentFilteredError,
    ContextOverflowError,
    MalformedReplyError,
    ModelError,
    RateLimitedError,
    RequestRefusedError,
    RetryableError,
    TimedOutError,
    UnavailableError,
)
from tests.llm.providers.asking_litellm import KEY, MODEL, QUIETLY, SAID, a_request, ask, ask_at
from tests.model_server import faults

pytestmark = [pytest.mark.usefixtures("litellm", "no_keys"), QUIETLY]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.status(400), RequestRefusedError),
        (faults.status(401), AuthenticationError),
        (faults.status(402), BadRequestError),
        (faults.status(403), AuthenticationError),
        (faults.status(404), BadRequestError),
        (faults.status(422), RequestRefusedError),
        (faults.status(429), RateLimitedError),
        (faults.status(429, code="insufficient_quota"), BadRequestError),
        (faults.status(400, "maximum context length is 8192 tokens"), ContextOverflowError),
        (faults.status(400, "prompt is too long: 9 tokens > 8 maximum"), ContextOverflowError),
        (faults.status(500), UnavailableError),
        (faults.status(503), UnavailableError),
        (faults.html(502), UnavailableError),
        (faults.reset(), UnavailableError),
        (faults.reset(frames=3), MalformedReplyError),
        (faults.truncated(frames=3), MalformedReplyError),
        (faults.html(200), MalformedReplyError),
        (faults.events(b"data: [DONE]\n\n"), MalformedReplyError),
        (faults.events(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'), MalformedReplyError),
        (
            faults.events(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: {\n\n'),
            MalformedReplyError,
        ),
        (faults.stream_error("overloaded"), UnavailableError),
    ],
)
def test_every_fault_has_its_kind(fault: faults.Fault, kind: type[ModelError]) -> None:
    with pytest.raises(ModelError) as caught:
        ask(fault)
    assert type(caught.value) is kind
    assert caught.value.what.startswith((MODEL, "The ", "Cannot reach "))
    assert f"{MODEL} at http://127.0.0.1:" in caught.value.what
    assert caught.value.hint
    assert "litellm" not in str(caught.value).lower()


@pytest.mark.parametrize(("code", "kind"), [(429, RateLimitedError), (503, UnavailableError)])
def test_an_endpoint_says_how_long_to_wait(code: int, kind: type[RetryableError]) -> None:
    with pytest.raises(kind) as caught:
        ask(faults.status(code, headers={"Retry-After": "7"}))
    assert caught.value.retry_after == 7.0


def test_an_unknown_model_is_answered_with_near_ones() -> None:
    with pytest.raises(BadRequestError, match="gpt-4o-mini") as caught:
        ask(faults.status(404, "no such model"), a_request(model="openai/gpt-4o-mni"))
    assert caught.value.hint.startswith("Did you mean gpt-4o-mini or ")


def test_nobody_listening_and_no_such_host_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnavailableError, match="the connection was refused"):
        ask_at("http://127.0.0.1:9/v1")

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UnavailableError, match="its host name is unknown"):
        ask_at("http://models.invalid/v1")


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_silence_times_out_within_the_limit(frames: int) -> None:
    began = time.perf_counter()
    with pytest.raises(TimedOutError, match=r"sent nothing for 0\.3 seconds"):
        ask(faults.hang(frames=frames), timeout=0.3)
    assert time.perf_counter() - began < 4  # litellm's own limit is five seconds later


def test_slow_is_not_silent() -> None:
    assert ask(faults.slow(0.15), timeout=0.4).text == SAID


def test_keys_are_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_API_KEY", "other-secret-9876543210")
    echo = f"Bad key {KEY}, and also other-secret-9876543210. " + "Very long. " * 100
    for code in (400, 401, 500):
        with pytest.raises(ModelError) as caught:
            ask(faults.status(code, echo))
        assert "Bad key [key], and also [key]." in caught.value.what
        assert len(caught.value.what) < 450
        assert "\n" not in caught.value.what
        assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (("RateLimitError", "Slow down."), RateLimitedError, "asks to slow down: Slow down."),
        (("AuthenticationError", "Bad key."), AuthenticationError, "does not accept the key: Bad key."),
        (("ContextWindowExceededError", "9 > 8."), ContextOverflowError, "is longer than"),
        (("ContentPolicyViolationError", "No."), ContentFilteredError, "stopped the request: No."),
        (("NotFoundError", "No such thing."), BadRequestError, "or address: No such thing."),
        (("Timeout", "Timed out."), TimedOutError, "sent nothing for 5 seconds"),
        (("InternalServerError", "Broken."), UnavailableError, "failed to answer: Broken."),
        (("ServiceUnavailableError", "Full."), UnavailableError, "failed to answer: Full."),
        (
            ("APIConnectionError", "Odd.\nTraceback (most recent call last): x"),
            UnavailableError,
            "answer: Odd.",
        ),
        (
            ("UnsupportedParamsError", "No tools here. To drop them set `litellm.drop_params = True`."),
            RequestRefusedError,
            "refuses the request: No tools here.",
        ),
    ],
)
def test_errors_of_litellms_own_have_their_kind(
    litellm: Any,
    monkeypatch: pytest.MonkeyPatch,
    error: tuple[str, str],
    kind: type[ModelError],
    words: str,
) -> None:
    name, message = error
    raised = getattr(litellm, name)(message=message, llm_provider="openai", model="gpt-4o")
    monkeypatch.setattr(litellm, "acompletion", functools.partial(litellm.acompletion, mock_response=raised))
    with pytest.raises(ModelError) as caught:
        ask_at(None, a_request(model="gpt-4o"))
    assert type(caught.value) is kind
    assert words in caught.value.what
    assert "litellm" not in str(caught.value)
    assert "HTTP" not in caught.value.what
    assert "Traceback" not in caught.value.what


def test_a_stream_that_breaks_inside_litellm_is_unavailable(
    litellm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mocked = functools.partial(litellm.acompletion, mock_response="Exception: mock_streaming_error")
    monkeypatch.setattr(litellm, "acompletion", mocked)
    with pytest.raises(UnavailableError, match="mock error raised mid-stream"):
        ask_at(None, a_request(model="gpt-4o"))
