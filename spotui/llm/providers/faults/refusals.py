"""Which parameter an endpoint refuses, so that the same request can be asked again without it."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from spotui.llm.protocol import Request
from spotui.llm.providers.faults.server_fault import ServerFault

REFUSING_STATUSES = frozenset({400, 403, 422})

# Longer names first: `stream` is also the beginning of `stream_options`.
_PARAMETERS = (
    *("stream_options", "temperature", "max_tokens"),
    *("top_logprobs", "logprobs", "response_format", "stream"),
)
_SPOKEN = {name: re.compile(rf"\b{name}\b") for name in _PARAMETERS} | {
    "stream": re.compile(r"\bstream(?:ing)?\b")
}

# A value out of range is the user's to mend, so only words that refuse the parameter as such count.
_REFUSAL = re.compile(
    r"unsupported|unknown|unrecogni[sz]ed|unexpected|deprecated|extra_forbidden|additional propert|不支持"
    r"|(?:not|n't)\s+(?:\w+\s+)?(?:support|permit|allow|available|implement|accept|recogni[sz]e)"
    r"|only\s+(?:the default|allowed when|\S+ is (?:allowed|supported))"
)


def refused_parameter(body: Mapping[str, object], fault: ServerFault) -> str | None:
    """The parameter of a request that the endpoint does not take.

    Args:
        body: The request's JSON object.
        fault: What the server answered to it.

    Returns:
        A name that the body holds and can do without, or None when the fault is about something else.
    """
    words = fault.message.lower()
    if fault.status not in REFUSING_STATUSES or not _REFUSAL.search(f"{words} {fault.code}"):
        return None
    named = fault.param.split(".")[0]
    if named:
        return named if named in _PARAMETERS and named in body else None
    places = {name: match.start() for name in _PARAMETERS if (match := _SPOKEN[name].search(words))}
    return min((name for name in places if name in body), key=lambda name: places[name], default=None)


def ineffective(request: Request, refused: AbstractSet[str]) -> tuple[str, ...]:
    """What a request asks for in vain; how a reply is sent and the name of a limit change nothing in it."""
    wanted = {
        "temperature": request.temperature is not None,
        "logprobs": request.logprobs or bool(request.alternatives),
        "top_logprobs": bool(request.alternatives),
        "response_format": request.json,
    }
    return tuple(name for name, is_wanted in wanted.items() if is_wanted and name in refused)
