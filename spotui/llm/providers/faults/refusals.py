"""What an endpoint refuses of a request, and how the same request is asked again without it.

A parameter is lowered when the server names the most that it takes, and left out otherwise. Refused requests
cost nothing, so a guess is cheap; it counts for good only once an answer has come.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.domain.lazy_pattern import LazyPattern
from spotui.llm.providers.faults.fault_kinds import kind_of
from spotui.llm.providers.faults.server_fault import ServerFault

_LEAST_REPLY: Final = 64
"""Tokens below which a reply is no use: then the request itself is too long."""

_FIELDS: Final = {"temperature": "temperature", "top_logprobs": "alternatives", "max_tokens": "max_tokens"}
"""Parameters that can be lowered, with the field of a request that each is sent for."""

_LIMIT_NAMES: Final = ("max_tokens", "max_completion_tokens")
_OPTIONAL: Final = ("stream_options", "grammar", "response_format", "top_logprobs", "logprobs", "temperature")
"""What to do without, in this order, where a server does not say which parameter it refuses."""

# Longer names first: `stream` is also the beginning of `stream_options`.
_SPOKEN: Final = {
    "stream_options": LazyPattern(r"\bstream_?options\b|\binclude_usage\b"),
    "temperature": LazyPattern(r"\btemperature\b"),
    "max_tokens": LazyPattern(
        r"\bmax_?(?:completion_?|output_?|new_?)?tokens\b|maximum (?:output )?tokens|completion tokens"
    ),
    "top_logprobs": LazyPattern(r"\btop[ _]?logprobs\b"),
    "logprobs": LazyPattern(r"\b(?:response_?)?log[ _]?probs\b|\blog[ -]?probabilities\b"),
    "response_format": LazyPattern(
        r"\bresponse[ _](?:format|mime[ _]?type)\b|\bjson[ _](?:mode|object)\b|\bstructured[ _]outputs?\b"
        r"|\bguided[ _](?:decoding|json)\b|\bconstrained (?:decoding|generation)\b|\bxgrammar\b"
    ),
    "grammar": LazyPattern(r"\bgrammar\b"),
    "stream": LazyPattern(r"\bstream(?:ing)?\b"),
    "system": LazyPattern(
        r"\b(?:system|developer)\W? ?(?:role|message|prompt|instruction)s?\b"
        r"|\brole\b[^.]{0,30}?\b(?:system|developer)\b|\broles? must alternate"
    ),
}
_ALWAYS_REFUSED: Final = LazyPattern(r"unexpected|invalid|alternate|only (?:\w+ )?(?:user|assistant)")
"""More words for a role that is not taken; they say less of a parameter."""

_NOT_TAKEN: Final = LazyPattern(
    r"unsupported|unknown|unrecogni[sz]ed|unexpected keyword|deprecated|extra_forbidden|additional propert"
    r"|(?:not|n't)\s+(?:\w+\s+)?(?:support|permit|allow|available|implement|accept|recogni[sz]e|enabled|installed)"
    r"|is disabled"
    r"|不支持"
)
_UNNAMED: Final = LazyPattern(r"param|argument|field|propert|extra inputs")
_OTHER_NAME: Final = LazyPattern(r"['\"`]\w+['\"`]|[a-z]_[a-z]|param\w*: \w")
_TOO_MUCH: Final = LazyPattern(
    r"too (?:large|high|big|many)|exceed|at most|less than|maximum|greater|larger|above|between|range|limit"
    r"|<=|>|≤|\bin [(\[]\s*\d"
)

# Numbers that are part of no name: not those of gpt-4o, v1 or 2024-10-21.
_NUMBER: Final = LazyPattern(r"(?<![\w-])(?<!\d\.)(\d{1,3}(?:[,_]\d{3})+|\d+(?:\.\d+)?)(?![a-z_\d]|-\d)")
_RANGE: Final = LazyPattern(r"([(\[]\s*\d+(?:\.\d+)?)\s*,\s*(?=\d)")
_OPEN_END: Final = LazyPattern(r"\[[\d.]+, (\d+)\)|(\d+) \(exclusive\)")
_PROMPT: Final = LazyPattern(
    r"(\d+) (?:`?inputs?`?|prompt) tokens|(\d+) in (?:the|your) (?:messages|prompt|input)"
    r"|(?:prompt|input|messages)\b\D{0,30}?(\d+) tokens|(\d+) \+ \d"
)


class Refusal(NamedTuple):
    """A parameter that is not taken, or only up to a value.

    Attributes:
        name: The parameter.
        most: The highest value that is taken, or None when none is.
        is_room: Whether that is what the prompt leaves of the context window: less for a longer prompt.
    """

    name: str
    most: float | None = None
    is_room: bool = False


class Concessions(msgspec.Struct, frozen=True):
    """What requests to an endpoint do without.

    Attributes:
        refused: Parameters that are left out; `max_tokens` is sent under its newer name instead.
        most: The highest values that the endpoint takes.
        window: Tokens that prompt and reply may have together, or None when that is unknown.
    """

    refused: frozenset[str] = frozenset()
    most: Mapping[str, float] = {}
    window: int | None = None

    def __or__(self, other: Self) -> Self:
        """Both together, the lower value of each."""
        windows = [one.window for one in (self, other) if one.window is not None]
        most = {
            name: min(value for value in (self.most.get(name), other.most.get(name)) if value is not None)
            for name in {*self.most, *other.most}
        }
        return type(self)(self.refused | other.refused, most, min(windows, default=None))

    def after(self, refusal: Refusal, request: Request) -> Self:
        """These, and what a request was refused for."""
        if refusal.most is None:
            return self | type(self)(frozenset({refusal.name}))
        if refusal.is_room:
            return self | type(self)(window=int(refusal.most) + _size(request))
        return self | type(self)(most={refusal.name: refusal.most})

    def applied(self, request: Request) -> Request:
        """The request with its values lowered to what the endpoint takes."""
        changed = {
            _FIELDS[name]: limit if name == "temperature" else int(limit)
            for name, limit in self.limits(request).items()
        }
        return msgspec.structs.replace(request, **changed) if changed else request

    def limits(self, request: Request) -> dict[str, float]:
        """The values of a request that are too high, each with what is sent in its place."""
        if not self.most and self.window is None:
            return {}
        most = dict(self.most)
        if self.window is not None and request.max_tokens is not None:
            room = max(_LEAST_REPLY, self.window - _size(request))
            most["max_tokens"] = min(most.get("max_tokens", room), room)
        wanted = {name: getattr(request, field) or 0 for name, field in _FIELDS.items()}
        return {name: limit for name, limit in most.items() if wanted[name] > limit}

    def left_out(self, request: Request) -> tuple[str, ...]:
        """What a request asks for in vain; how a reply is sent and what a limit is called changes nothing."""
        wanted = {
            "temperature": request.temperature is not None,
            "logprobs": request.logprobs or bool(request.alternatives),
            "top_logprobs": bool(request.alternatives),
            "response_format": request.json or bool(request.response_format),
            "grammar": request.grammar is not None,
            "system": any(one.role == "system" for one in request.messages),
        }
        return tuple(name for name, is_wanted in wanted.items() if is_wanted and name in self.refused)

    def noted(self, reply: Reply, request: Request) -> Reply:
        """A reply that says what its request did without."""
        lowered = tuple(self.limits(request).items())
        return msgspec.structs.replace(reply, left_out=self.left_out(request), lowered=lowered)


def refusal_in(body: Mapping[str, object], fault: ServerFault) -> Refusal | None:
    """What of a request the endpoint does not take.

    Args:
        body: The request's JSON object.
        fault: What the server answered to it.

    Returns:
        A parameter that the body holds, or None when the fault is about something else.
    """
    words, kind = f"{fault.message} {fault.code}".lower(), kind_of(fault)
    name = _named(body, fault)
    limit = next((one for one in _LIMIT_NAMES if one in body), None)
    if limit and (kind == "overflow" or (kind == "refused" and name == "max_tokens")):
        lower = _lower_limit(words, body[limit])
        if lower is not None:
            return lower
    is_refused = kind in {"refused", "authentication"} and fault.status in (400, 403, 422)
    is_failure = fault.status in (404, 405, 415, 500, 501) and (
        _NOT_TAKEN.search(words) is not None or name == "system"
    )
    if kind == "overflow" or not (is_refused or is_failure):
        return None
    if name is None:
        return _unnamed(body, fault, words)
    if name == "grammar" and not _NOT_TAKEN.search(words):
        return None  # it is this one that is wrong
    if name == "system":
        return Refusal(name) if _NOT_TAKEN.search(words) or _ALWAYS_REFUSED.search(words) else None
    if name == "max_tokens":
        return Refusal(limit or name)
    if name == "logprobs" and (most := _highest(words, body.get("top_logprobs"))) is not None:
        return Refusal("top_logprobs", most)
    return Refusal(name, _highest(words, body[name]))


def _named(body: Mapping[str, object], fault: ServerFault) -> str | None:
    """The parameter that a fault names, in its field or first in its words; only one that the body holds."""
    held = {"max_tokens" if name in _LIMIT_NAMES else name for name in body}
    messages = body.get("messages")
    if isinstance(messages, list) and any(one.get("role") == "system" for one in messages):
        held.add("system")
    for text in (fault.param.lower(), fault.message.lower()):
        found = {name: match.start() for name, spoken in _SPOKEN.items() if (match := spoken.search(text))}
        if names := [name for name in found if name in held]:
            return min(names, key=lambda name: found[name])
    return None


def _unnamed(body: Mapping[str, object], fault: ServerFault, words: str) -> Refusal | None:
    """The next parameter to do without, where a server does not say which one it refuses."""
    is_unnamed = _NOT_TAKEN.search(words) and _UNNAMED.search(words) and not _OTHER_NAME.search(words)
    if fault.param or fault.status not in (400, 422) or not is_unnamed:
        return None
    return next((Refusal(name) for name in _OPTIONAL if name in body), None)


def _highest(words: str, sent: object) -> float | None:
    """The highest value that a server names below the one that was sent, if it finds that one too high."""
    if not isinstance(sent, (int, float)) or isinstance(sent, bool) or not _TOO_MUCH.search(words):
        return None
    return max((number for number in _numbers(words) if 0 < number < sent), default=None)


def _lower_limit(words: str, sent: object) -> Refusal | None:
    """A limit of the reply that leaves room for the prompt, or that the endpoint can write."""
    if not isinstance(sent, int) or not _TOO_MUCH.search(words):
        return None
    numbers = [int(number) for number in _numbers(words) if number != sent]
    if (found := _PROMPT.search(re.sub(r"(?<=\d),(?=\d{3})", "", words))) is not None:
        prompt = next(int(text) for text in found.groups() if text)
        rooms = [number - prompt for number in numbers if _LEAST_REPLY <= number - prompt < sent]
        return Refusal("max_tokens", max(rooms), is_room=True) if rooms else None
    lower = max((number for number in numbers if _LEAST_REPLY <= number < sent), default=None)
    return None if lower is None else Refusal("max_tokens", lower)


def _numbers(words: str) -> list[float]:
    """The numbers in a text that are part of no name; the end of a range that leaves it out is one less."""
    text = _RANGE.sub(r"\1, ", words)
    beyond = {float(number) for ends in _OPEN_END.findall(text) for number in ends if number}
    found = [float(re.sub("[,_]", "", number)) for number in _NUMBER.findall(text)]
    return [number - (number in beyond) for number in found]


def _size(request: Request) -> int:
    """Tokens of the prompt as the budget counts them, which brings more to import than most calls need."""
    from spotui.llm.spending import prompt_size

    return prompt_size(request)
