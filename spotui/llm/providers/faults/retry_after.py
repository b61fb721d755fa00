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

_MILLISECONDS: Final = re.compile(r"(?:^|-)retry-after-(?:ms|milliseconds)$")
_SECONDS: Final = re.compile(r"(?:^|-)(?:retry-after(?:-seconds|-secs)?|cooldown(?:-seconds)?)$")
_FIELDS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("retryafter", "retryafterseconds", "retryaftersec", "retrydelay", "retryin"), 1),
    **dict.fromkeys(("waitseconds", "waittime", "cooldown", "cooldownseconds", "estimatedtime"), 1),
    **dict.fromkeys(("resetin", "resetsin", "resetinseconds", "resetsinseconds", "resetafter"), 1),
    **dict.fromkeys(("retryafterms", "retryaftermilliseconds", "retrydelayms", "waitms"), 0.001),
}
"""Fields of an error that hold a wait, in small letters alone, with the seconds that a bare number counts."""

_MOMENTS: Final = frozenset({"resetat", "resetsat", "resettime", "retryat", "retryaftertime"})
"""Fields that hold a point in time."""

_LONGEST: Final = 100
"""Characters that a wait takes at most; patterns take too long for a megabyte."""

_EPOCH: Final = 1e9
"""Numbers from here on are points in time: seconds since 1970, or thousandths of them and smaller parts."""

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
_ONE: Final = LazyPattern(r"\b(?:an?|one)\s+(?=(?:second|minute|hour|day)\b)")
_HTTP_DATE: Final = r"[a-z]{3}, \d\d [a-z]{3} \d{4} \d\d:\d\d:\d\d (?:gmt|utc|[+-]\d{4})"
_DATE: Final = _HTTP_DATE + r"|\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|\s*utc|[+-]\d\d:?\d\d)?"

_IN_WORDS: Final = LazyPattern(
    r"(?:again|retry\w*|wait|reset\w*|available|resume|until|cool ?-?down|back ?off|allowed|等待|再过)"
    r"[^.\d]{0,40}?"
    rf"(?:(?P<date>{_DATE})|(?P<duration>{_DURATION})|(?P<seconds>\d+(?:\.\d+)?)(?=\s*(?:[.,;!)]|$)))"
)
_BEFORE_WORDS: Final = LazyPattern(rf"(?<!\d)(?P<duration>{_DURATION})(?:后|之后|以后)")
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
    """The waits in `Retry-After` and headers named after it, thousandths of a second first."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in named.items():
        if _MILLISECONDS.search(name) and (milliseconds := _number(value)) is not None:
            yield milliseconds / 1000
    for name, value in named.items():
        if _SECONDS.search(name):
            # A proxy joins what was sent twice, and a date has a comma, too.
            waits = (_wait(text) for text in (value, value.partition(",")[0]))
            yield from [wait for wait in waits if wait is not None][:1]


def _of_fields(payload: object, depth: int = 0) -> Iterator[float]:
    """The waits in the fields of a JSON value, however deep the error holds them."""
    if depth > _DEEPEST:
        return
    if isinstance(payload, list):
        for item in payload:
            yield from _of_fields(item, depth + 1)
    elif isinstance(payload, dict):
        for name, value in payload.items():
            plain = re.sub(r"[^a-z]", "", str(name).lower())
            if isinstance(value, dict) and plain in _FIELDS and "seconds" in value:
                value = value["seconds"]  # noqa: PLW2901 - a duration as protocol buffers write it
            if plain in _FIELDS and isinstance(value, (int, float, str)) and not isinstance(value, bool):
                wait = _wait(str(value))
                if wait is not None:
                    yield wait * _FIELDS[plain] if _number(str(value)) is not None else wait
            elif plain in _MOMENTS and isinstance(value, (int, float, str)):
                number = _number(str(value))
                wait = _wait(str(value)) if number is None or number >= _EPOCH else None
                if wait is not None:
                    yield wait
            elif name in {"headers", "Headers"} and isinstance(value, dict):
                inner = {str(key).lower(): str(text) for key, text in value.items()}
                yield from (*_retry_after(inner), *_of_resets(inner))
            else:
                yield from _of_fields(value, depth + 1)


def _of_words(message: str) -> Iterator[float]:
    words = _ONE.sub("1 ", message.lower())
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
        if "ratelimit" not in name.replace("-", "") or "policy" in name:
            continue
        if "reset" in name:
            wait, remaining = _wait(value), _number(headers.get(name.replace("reset", "remaining"), ""))
            told = [(wait, remaining)]
        else:
            # Of several limits, each has its name in quotes.
            limits = value[: 10 * _LONGEST].split(",") if '"' in value else [value[: 10 * _LONGEST]]
            told = [_listed(limit) for limit in limits]
        for wait, remaining in told:
            if wait is not None and wait > 0:
                (spent if remaining is not None and remaining <= 0 else others).append(wait)
    if spent:
        yield max(spent)
    elif others:
        yield min(others)


def _listed(limit: str) -> tuple[float | None, float | None]:
    """The seconds until a limit is whole again, and what remains of it."""
    listed = {key: float(number) for key, number in _IN_A_LIST.findall(limit.lower())}
    return listed.get("reset", listed.get("t")), listed.get("remaining", listed.get("r"))


def _wait(written: str) -> float | None:
    """Seconds from now in a number, a duration or a date; None when it is none of them."""
    text = written[:_LONGEST].strip().lower()
    number = _number(text)
    if number is not None:
        if number < _EPOCH:
            return number
        while number > _EPOCH * 100:
            number /= 1000
        return number - time()
    text = text.removeprefix("pt")
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
