"""How long a server asks to wait is read wherever it writes it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.llm.providers.faults.retry_after import asked_wait


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached. Limit 3, Used 3, Requested 1. Please try again in 12s.", 12),
        ("Please try again in 850ms. Visit the docs.", 0.85),
        ("Please try again in 6m0s.", 360),
        ("Please try again in 1h2m3.5s", 3723.5),
        ("Please retry in 34.07s.", 34.07),
        ("please try again after 1 seconds", 1),
        ("Please wait 20 seconds and try again.", 20),
        ("Please retry after 2 minutes and 30 seconds", 150),
        ("Please wait for 1 min", 60),
        ("Rate limit resets in 2 hours", 7200),
        ("retry after 30", 30),
        ("请在 10 秒后重试", 10),
        ("请1分钟后再试", 60),
        ("请等待 30 秒", 30),
        ("再过 5 秒重试", 5),
        ("Try again in a minute.", 60),
        ("Try again in one hour", 3600),
        ("cooldown: 15s", 15),
        ("Next request allowed in 12 seconds", 12),
        ("You sent 30 requests in 60 seconds.", None),
        ("Too many requests.", None),
        ("Try again. Limit 3 requests, please.", None),
        ("Try again in 0s", None),
        ("Please wait until fewer than 5000 tokens are used", None),
    ],
)
def test_waits_in_words(message: str, seconds: float | None) -> None:
    assert asked_wait({}, None, message) == seconds


def in_30_seconds() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=30)


@pytest.mark.parametrize(
    "written",
    [
        lambda: "30",
        lambda: "30s",
        lambda: "30000ms",
        lambda: "0m30s",
        lambda: str(int(time() + 30)),
        lambda: str(int((time() + 30) * 1000)),
        lambda: str(int((time() + 30) * 1e9)),
        lambda: "PT30S",
        lambda: in_30_seconds().strftime("%Y-%m-%dT%H:%M:%SZ"),
        lambda: in_30_seconds().isoformat(),
        lambda: format_datetime(in_30_seconds(), usegmt=True),
    ],
)
@pytest.mark.parametrize(
    "name",
    [
        "Retry-After",
        "x-ratelimit-reset",
        "X-RateLimit-Reset-Requests",
        "anthropic-ratelimit-tokens-reset",
        "x-ratelimit-reset-tokens-minute",
    ],
)
def test_waits_in_headers(name: str, written: Any) -> None:
    assert asked_wait({name: written()}, None, "") == pytest.approx(30, abs=2)


def test_the_limit_that_is_used_up_says_how_long() -> None:
    headers = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "6m0s",
        "x-ratelimit-remaining-tokens": "39000",
        "x-ratelimit-reset-tokens": "12s",
    }
    assert asked_wait(headers, None, "") == 360
    headers["x-ratelimit-remaining-requests"] = "2"
    assert asked_wait(headers, None, "") == 12


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit": "limit=10, remaining=0, reset=30", "RateLimit-Policy": "10;w=60"},
        {"RateLimit": '"default";r=0;t=30'},
        {"retry-after-ms": "30000", "retry-after": "31"},
        {"x-ms-retry-after-ms": "30000"},
        {"Retry-After": "0", "x-ratelimit-reset-requests": "30s"},
        {"Retry-After": "30, 30"},
        {"x-ratelimit-retry-after": "30"},
        {"msh-cooldown-seconds": "30"},
        {"x-rate-limit-reset": "30"},
        {"RateLimit": '"burst";r=0;t=30, "daily";r=50;t=3600'},
    ],
)
def test_other_headers(headers: dict[str, str]) -> None:
    assert asked_wait(headers, None, "") == 30


@pytest.mark.parametrize(
    "payload",
    [
        {"retry_after": 30},
        {"error": {"retry_after_ms": 30_000}},
        {"error": {"details": [{"retryDelay": "30s"}]}},
        {"error": {"metadata": {"headers": {"Retry-After": "30"}}}},
        {"error": {"details": [{"retryDelay": {"seconds": "30", "nanos": 0}}]}},
        {"retryAfterSeconds": 30},
        {"error": {"resets_in_seconds": 30}},
        {"error": "Model m is currently loading", "estimated_time": 30.0},
    ],
)
def test_waits_in_fields(payload: object) -> None:
    assert asked_wait({}, payload, "") == 30


def test_a_moment_in_a_field_or_in_words() -> None:
    moment = in_30_seconds()
    assert asked_wait({}, {"resets_at": int(time() + 30)}, "") == pytest.approx(30, abs=2)
    assert asked_wait({}, {"error": {"reset_at": moment.isoformat()}}, "") == pytest.approx(30, abs=2)
    assert asked_wait({}, {"reset_at": 30}, "") is None
    words = f"Your limit will reset at {format_datetime(moment)}"
    assert asked_wait({}, None, words) == pytest.approx(30, abs=2)


@pytest.mark.parametrize("written", ["0", "-3", "Wed, 21 Oct 2015 07:28:00 GMT", "1000000001"])
def test_a_time_that_has_passed_says_nothing(written: str) -> None:
    assert asked_wait({"Retry-After": written}, None, "") is None


@given(
    st.dictionaries(st.sampled_from(["retry-after", "x-ratelimit-reset", "ratelimit"]), st.text()), st.text()
)
def test_nonsense_is_no_wait_and_no_fault(headers: dict[str, str], message: str) -> None:
    wait = asked_wait(headers, {"retry_after": message, "headers": headers}, message)
    assert wait is None or 0 < wait < float("inf")
