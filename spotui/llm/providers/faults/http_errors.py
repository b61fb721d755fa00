"""What a server answers in place of a reply, as an error a person can act on."""

import re

from spotui.llm.errors import (
    AuthenticationError,
    BadRequestError,
    ContextOverflowError,
    ModelError,
    RateLimitedError,
    UnavailableError,
)
from spotui.llm.providers.faults.place import Place
from spotui.llm.providers.faults.server_fault import ServerFault

# One line a family of servers: OpenAI and vLLM, llama.cpp, Anthropic, Gemini, Groq, TGI, others.
_OVERFLOW = re.compile(
    r"context_length_exceeded|maximum context length|maximum model length|context[ _](?:length|window)"
    r"|exceed_context_size|context size|too large to process"
    r"|prompt is too long"
    r"|input token count"
    r"|reduce the length of"
    r"|`inputs` (?:tokens|must have)"
    r"|(?:input|prompt|request) (?:is )?too (?:long|large)|too many (?:input )?tokens|token limit exceeded"
)
_SPENT = re.compile(
    r"insufficient_(?:user_)?(?:quota|balance|credits)|exceeded_current_quota|billing_(?:hard_limit|not_active)"
)
_NOT_ABOUT_LENGTH = frozenset({401, 403, 429})


def fault_error(place: Place, fault: ServerFault) -> ModelError:
    """The error for a server's refusal or failure.

    Args:
        place: Where the call went.
        fault: What the server answered; a status of 0 is one that broke off a reply under way.
    """
    status = fault.status or _status_by_words(fault)
    note = f" (HTTP {fault.status})" if fault.status else ""
    if status == 402 or _SPENT.search(fault.code):
        return BadRequestError(
            place.sentence(f"The account behind {place} has no quota left{note}", fault.message),
            f"Top it up, or use another key or model than this one for {place.base_url}.",
        )
    if status in (401, 403):
        return _authentication(place, fault, note)
    if status == 413 or (status not in _NOT_ABOUT_LENGTH and _is_overflow(fault)):
        return ContextOverflowError(
            place.sentence(f"The request is longer than {place} takes{note}", fault.message),
            "Shorten the prompt or the questions, or use a model with a longer context window.",
        )
    if status == 429:
        return RateLimitedError(
            place.sentence(f"{place} asks to slow down{note}", fault.message),
            "Lower its concurrency or its requests per minute.",
            retry_after=fault.retry_after,
        )
    if status in (408, 425) or status >= 500:
        return UnavailableError(
            place.sentence(f"{place} failed to answer{note}", fault.message),
            "Try again later; a server of your own says more in its log.",
            retry_after=fault.retry_after,
        )
    return _bad_request(place, fault, note)


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
            f"Set the key for {place.base_url}.",
        )
    return AuthenticationError(
        place.sentence(f"{place} does not accept the key{note}", fault.message),
        f"Check the key for {place.base_url}, and that it may use this model.",
    )


def _bad_request(place: Place, fault: ServerFault, note: str) -> BadRequestError:
    if fault.status in (404, 405):
        versioned = re.search(r"/v\d", place.base_url) is not None
        return BadRequestError(
            place.sentence(f"{place} knows no such model or address{note}", fault.message),
            "Check the model id and the base URL" + ("." if versioned else ": does it end in /v1?"),
        )
    return BadRequestError(
        place.sentence(f"{place} refuses the request{note}", fault.message),
        "Change what it complains about in the model's settings or the template.",
    )


def _is_overflow(fault: ServerFault) -> bool:
    return _OVERFLOW.search(f"{fault.message} {fault.code}".lower()) is not None


def _status_by_words(fault: ServerFault) -> int:
    """The status that a fault inside a stream would have had."""
    if re.search(r"rate_?limit", fault.code):
        return 429
    if re.search(r"authentication|permission|api_key", fault.code):
        return 401
    if re.search(r"invalid_request|bad_?request|not_found", fault.code):
        return 400
    return 500
