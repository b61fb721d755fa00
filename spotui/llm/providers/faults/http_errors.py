"""What a server answers in place of a reply, as an error a person can act on."""

import re

from spotui.llm.errors import (
    AuthenticationError,
    BadRequestError,
    ContentFilteredError,
    ContextOverflowError,
    ModelError,
    RateLimitedError,
    RequestRefusedError,
    UnavailableError,
)
from spotui.llm.providers.faults.fault_kinds import kind_of
from spotui.llm.providers.faults.place import Place
from spotui.llm.providers.faults.server_fault import ServerFault


def fault_error(place: Place, fault: ServerFault) -> ModelError:
    """The error for a server's refusal or failure.

    Args:
        place: Where the call went.
        fault: What the server answered; a status of 0 is one that broke off a reply under way.
    """
    note = f" (HTTP {fault.status})" if fault.status else ""
    match kind_of(fault):
        case "no_money":
            return BadRequestError(
                place.sentence(f"The account behind {place} has no quota left{note}", fault.message),
                f"Top it up, or use another key or model than this one for {place.base_url}.",
            )
        case "overflow":
            return ContextOverflowError(
                place.sentence(f"The request is longer than {place} takes{note}", fault.message),
                "Shorten the prompt or the questions, or use a model with a longer context window.",
            )
        case "filtered":
            return ContentFilteredError(
                place.sentence(f"The content filter of {place} stopped the request{note}", fault.message),
                "Change or leave out the text that the filter objects to, or use another model.",
            )
        case "rate_limited":
            return RateLimitedError(
                place.sentence(f"{place} asks to slow down{note}", fault.message),
                _slower(fault.retry_after),
                retry_after=fault.retry_after,
            )
        case "authentication":
            return _authentication(place, fault, note)
        case "unavailable":
            return UnavailableError(
                place.sentence(f"{place} failed to answer{note}", fault.message),
                "Try again later; if the server is yours, its log says more.",
                retry_after=fault.retry_after,
            )
        case "unknown":
            versioned = re.search(r"/v\d", place.base_url) is not None
            return BadRequestError(
                place.sentence(f"{place} knows no such model or address{note}", fault.message),
                "Check the model id and the base URL" + ("." if versioned else ": does it end in /v1?"),
            )
        case "refused":
            return RequestRefusedError(
                place.sentence(f"{place} refuses the request{note}", fault.message),
                "Change what it complains about in the model's settings or the template.",
            )


def redirect_error(place: Place, status: int, location: str) -> BadRequestError:
    """The error for an endpoint that points elsewhere; a key is not carried to another address unasked."""
    root = location.partition("?")[0].removesuffix("/chat/completions")
    return BadRequestError(
        place.sentence(f"{place} has moved (HTTP {status})", root),
        "Put the new address into the base URL.",
    )


def _authentication(place: Place, fault: ServerFault, note: str) -> AuthenticationError:
    if not place.has_key:
        return AuthenticationError(
            place.sentence(f"{place} asks for a key, and none is set{note}", fault.message),
            place.key_hint,
        )
    return AuthenticationError(
        place.sentence(f"{place} does not accept the key{note}", fault.message),
        f"Check the key for {place.base_url}, and that it may use this model.",
    )


def _slower(retry_after: float | None) -> str:
    if retry_after is None:
        return "Lower its concurrency or its requests per minute, or raise --retry-seconds."
    return f"It asks to wait {_duration(retry_after)}: try again after that, or raise --retry-seconds."


def _duration(seconds: float) -> str:
    for size, unit in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.3g} seconds"
