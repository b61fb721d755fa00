"""How long a server asks to wait, read from its headers, its JSON and its words.

`Retry-After` comes first. Many servers leave it out: OpenAI and Groq write the time into the message and into
`x-ratelimit-reset-*`, Google into a field of the error, Anthropic into headers that hold a date.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from time import time
from typing import Final

from spotui.domain.lazy_pattern import LazyPattern

_MILLISECOND_HEADERS: Final = ("retry-after-ms", "x-ms-retry-after-ms")
_FIELDS: Final[Mapping[str, float]] = {
    "retry_after": 1,
    "retry_after_seconds": 1,
    "retryAfter": 1,
    "retryDelay": 1,
    "retry_after_ms": 0.001,
    "retryAfterMs": 0.001,
    "estimated_time": 1,
}
"""Fields of an error that hold a wait, with the seconds that one unit of a bare number is worth."""

_EPOCH: Final = 1e9
"""Numbers from here on are points in time: seconds since 1970, or milliseconds where there are too many."""

_DEEPEST: Final = 6

_UNITS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds", "毫秒"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "秒", "秒钟"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "分", "分钟"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "小时"), 3600),
    **dict.fromkeys(("d", "day", "days", "天"), 86_400),
}
_UNIT: Final = "|".join(sorted(_UNITS, key=len, reverse=True))
_PART: Final = rf"(\d+(?:\.\d+)?)\s*({_UNIT})(?![a-z])|(\d+(?:\.\d+)?)(m|h|d)(?=\d)"
_PARTS: Final = LazyPattern(_PART)
_DURATION: Final = rf"(?:(?:\d+(?:\.\d+)?\s*(?:{_UNIT})(?![a-z])|\d+(?:\.\d+)?[mhd](?=\d))(?:\s|,|and)*)+"
_DATE: Final = r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|\s*utc|[+-]\d\d:?\d\d)?"

_IN_WORDS: Final = LazyPattern(
    r"(?:again|retry\w*|wait|reset\w*|available|resume|until)[^.\d]{0,40}?"
    rf"(?:(?P<date>{_DATE})|(?P<duration>{_DURATION})|(?P<seconds>\d+(?:\.\d+)?)(?=\s*(?:[.,;!)]|$)))"
)
_BEFORE_WORDS: Final = LazyPattern(rf"(?P<duration>{_DURATION})(?:后|之后|以后)")
_IN_A_LIST: Final = LazyPattern(r"\b(remaining|reset|r|t)\s*=\s*(\d+)", re.IGNORECASE)


def asked_wait(headers: Mapping[str, str], payload: object, message: str) -> float | None:
    """Seconds that a server asks to wait, more than 0; None when it asks for none.

    A wait of 0, and a time that has passed, say nothing about when a call will be taken: the caller's own
    waits, which grow, are better than calls without a pause.

    Args:
        headers: Of the response, by names in lower case or in any case.
        payload: The JSON of its body, whatever it is.
        message: What it says.
    """
    found = {name.lower(): value for name, value in headers.items()}
    return next(
        (
            wait
            for source in (_retry_after(found), _of_fields(payload), _of_words(message), _of_resets(found))
            for wait in source
            if 0 < wait < float("inf")
        ),
        None,
    )


def _retry_after(headers: Mapping[str, str]) -> Iterator[float]:
    for name in _MILLISECOND_HEADERS:
        if (milliseconds := _number(headers.get(name, ""))) is not None:
            yield milliseconds / 1000
    if (wait := _wait(headers.get("retry-after", ""))) is not None:
        yield wait


def _of_fields(payload: object, depth: int = 0) -> Iterator[float]:
    """The waits in the fields of a JSON value, however deep the error holds them."""
    if depth > _DEEPEST:
        return
    if isinstance(payload, list):
        for item in payload:
            yield from _of_fields(item, depth + 1)
    elif isinstance(payload, dict):
        for name, value in payload.items():
            if name in _FIELDS and isinstance(value, (int, float, str)) and not isinstance(value, bool):
                wait = _wait(str(value))
                if wait is not None:
                    yield wait * _FIELDS[name] if _number(str(value)) is not None else wait
            elif name in {"headers", "Headers"} and isinstance(value, dict):
                inner = {str(key).lower(): str(text) for key, text in value.items()}
                yield from (*_retry_after(inner), *_of_resets(inner))
            else:
                yield from _of_fields(value, depth + 1)


def _of_words(message: str) -> Iterator[float]:
    words = message.lower()
    for match in (_IN_WORDS.search(words), _BEFORE_WORDS.search(words)):
        if match is None:
            continue
        wait = _wait(next(text for text in match.groupdict().values() if text))
        if wait is not None:
            yield wait


def _of_resets(headers: Mapping[str, str]) -> Iterator[float]:
    """The wait in headers that say when a limit is whole again: that of the limit that is used up.

    Where none is said to be used up, the request did not fit into what is left of one of them, and the first
    that is whole again is worth a try.
    """
    spent: list[float] = []
    others: list[float] = []
    for name, value in headers.items():
        if "ratelimit" not in name or "policy" in name:
            continue
        if "reset" in name:
            wait, remaining = _wait(value), _number(headers.get(name.replace("reset", "remaining"), ""))
        else:
            listed = {key: float(number) for key, number in _IN_A_LIST.findall(value.lower())}
            wait, remaining = listed.get("reset", listed.get("t")), listed.get("remaining", listed.get("r"))
        if wait is not None and wait > 0:
            (spent if remaining is not None and remaining <= 0 else others).append(wait)
    if spent:
        yield max(spent)
    elif others:
        yield min(others)


def _wait(written: str) -> float | None:
    """Seconds from now in a number, a duration or a date; None when it is none of them."""
    text = written.strip().lower()
    number = _number(text)
    if number is not None:
        if number < _EPOCH:
            return number
        return (number / 1000 if number > _EPOCH * 100 else number) - time()
    parts = _PARTS.findall(text)
    if parts and re.fullmatch(_DURATION, text):
        return sum(float(one or two) * _UNITS[unit or other] for one, unit, two, other in parts)
    return _until(text)


def _until(text: str) -> float | None:
    """Seconds from now to a date as JSON or as HTTP write it."""
    try:
        moment = datetime.fromisoformat(text.replace("utc", "z").replace(" z", "z").upper())
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError, IndexError):
            return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - time()
    except (ValueError, OverflowError):
        return None


def _number(written: str) -> float | None:
    try:
        value = float(written)
    except ValueError:
        return None
    return value if abs(value) != float("inf") and value == value else None
