"""What litellm raises, as an error a person can act on.

litellm wraps every failure in classes of its own, often more than once and often as a status of 500, so what
happened is read from the whole chain of causes.
"""

import ast
import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from spotui.llm.errors import (
    AuthenticationError,
    BadRequestError,
    MalformedReplyError,
    ModelError,
    TimedOutError,
)
from spotui.llm.providers.faults import transport_errors
from spotui.llm.providers.faults.http_errors import fault_error
from spotui.llm.providers.faults.place import Place
from spotui.llm.providers.faults.retry_after import asked_wait
from spotui.llm.providers.faults.server_fault import ServerFault, read_fault
from spotui.llm.providers.litellm_bodies import OversizedBodyError
from spotui.llm.providers.reply_size import oversized

_LONGEST_CHAIN: Final = 20
_UNREACHABLE: Final = (ConnectionError, socket.gaierror, ssl.SSLError)
_BODY: Final = re.compile(r"b'.*'|b\".*\"", re.DOTALL)
_TAIL: Final = re.compile(r"\s*(?:Original exception:|Traceback \(most recent call last\)).*", re.DOTALL)
_HEAD: Final = re.compile(r"^(?:(?:litellm\.)?\w*(?:Error|Exception|Timeout)\w*\s*(?:[:-]\s*|(?=[A-Z])))+")
_NO_KEY: Final = re.compile(
    r"missing credentials|api_key (?:client option )?must be set|unable to locate credentials"
    r"|default credentials|missing \w+ (?:\w+ )?key|api key (?:is )?(?:not set|required|missing)",
    re.IGNORECASE,
)
_CUT: Final = "Stream ended before a finish_reason"
"""What litellm says, under a status of its own, of a stream that was cut."""
_CODES: Final = {
    400: "invalid_request",
    401: "authentication",
    403: "permission",
    404: "not_found",
    422: "invalid_request",
    429: "rate_limit",
}


def read_error(error: BaseException) -> ServerFault:
    """What litellm's exception says of the server's answer; a status of its own invention included."""
    chain = tuple(_chain(error))
    status = next((code for link in chain if isinstance(code := getattr(link, "status_code", None), int)), 0)
    text = str(error)
    headers = _headers(chain)
    fault = read_fault(status, headers, _body(chain, text))
    if any("ContextWindowExceeded" in type(link).__name__ for link in chain):
        fault = msgspec.structs.replace(fault, status=400, code="context_length_exceeded")
    if any("ContentPolicyViolation" in type(link).__name__ for link in chain):
        fault = msgspec.structs.replace(fault, status=400, code="content_filter")
    if fault.retry_after is None:
        fault = msgspec.structs.replace(fault, retry_after=asked_wait({}, None, text))
    return msgspec.structs.replace(fault, message=_plain_words(fault.message))


def model_error(
    error: BaseException, fault: ServerFault, place: Place, timeout: float, is_proxied: Callable[[], bool]
) -> ModelError:
    """The error for what litellm raised.

    Args:
        error: The exception.
        fault: `read_error` of it.
        place: Where the call went.
        timeout: Seconds of silence allowed, for the sentence.
        is_proxied: Tells whether a proxy of the environment is on the way.
    """
    chain = tuple(_chain(error))
    if any(isinstance(link, OversizedBodyError) for link in chain):
        return oversized(place)
    names = {base.__name__ for link in chain for base in type(link).__mro__}
    if "ClientPayloadError" in names or _CUT in str(error):
        return transport_errors.broke_off(place)
    if _headers(chain):
        return fault_error(place, fault)
    if (reached := _transport_error(chain, place, timeout, is_proxied)) is not None:
        return reached
    if names & {"Timeout", "TimeoutError"}:
        return TimedOutError(
            f"{place} sent nothing for {timeout:g} seconds.",
            "Check that it is up, or raise the timeout of this model.",
        )
    if "JSONDecodeError" in names:
        return MalformedReplyError(
            place.sentence(f"{place} sent something other than a chat completion", fault.message),
            "Try again.",
        )
    return _local_error(chain, fault, place)


def _local_error(chain: tuple[BaseException, ...], fault: ServerFault, place: Place) -> ModelError:
    """The error for what no server has answered: litellm's own checks, and replies that ended in an error."""
    missing = next((link for link in chain if isinstance(link, ImportError)), None)
    if missing is not None:
        return BadRequestError(
            place.sentence(f"{place} needs a Python package that is not installed", str(missing)),
            "Install what provides it beside spotui, with pip.",
        )
    if _NO_KEY.search(fault.message):
        return AuthenticationError(
            place.sentence(f"{place} asks for a key, and none is set", fault.message),
            "Set the environment variable it names.",
        )
    # The status is one that litellm made up to say what kind of failure this is.
    code = f"{fault.code} {_CODES.get(fault.status, '')}".strip()
    return fault_error(place, msgspec.structs.replace(fault, status=0, code=code))


def _transport_error(
    chain: tuple[BaseException, ...], place: Place, timeout: float, is_proxied: Callable[[], bool]
) -> ModelError | None:
    import httpx

    below = next((link for link in chain if isinstance(link, (httpx.RequestError, *_UNREACHABLE))), None)
    match below:
        case None:
            return None
        case httpx.ConnectTimeout():
            return transport_errors.not_connected(place, timeout)
        case httpx.TimeoutException():
            return transport_errors.timed_out(place, timeout)
        case httpx.ProxyError():
            return transport_errors.proxy_failed(place, str(below))
        case httpx.DecodingError():
            return transport_errors.not_decompressed(place, str(below))
        case httpx.RemoteProtocolError():
            return _protocol_error(place, str(below))
    return transport_errors.unreachable(place, below, is_proxied)


def _protocol_error(place: Place, words: str) -> ModelError:
    if "without sending a response" in words:
        return transport_errors.no_answer(place)
    if "message body" in words:
        return transport_errors.broke_off(place)
    return transport_errors.not_http(place, words)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, the latest first."""
    return islice(_links(error), _LONGEST_CHAIN)


def _links(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        wrapped = getattr(error, "original_exception", None)
        error = wrapped if isinstance(wrapped, BaseException) else error.__cause__ or error.__context__


def _headers(chain: tuple[BaseException, ...]) -> Mapping[str, str]:
    """The headers of the server's answer; empty when no server answered."""
    for link in chain:
        for headers in (
            getattr(link, "litellm_response_headers", None),
            getattr(getattr(link, "response", None), "headers", None),
        ):
            if headers:
                return {str(name).lower(): str(value) for name, value in dict(headers).items()}
    return {}


def _body(chain: tuple[BaseException, ...], text: str) -> bytes:
    """The server's answer where the chain still has it, else the exception's own words."""
    for link in chain:
        body = getattr(link, "body", None)
        if isinstance(body, Mapping) and body:
            return json.dumps(body, default=str).encode()
    if quoted := _BODY.search(text):
        try:
            return bytes(ast.literal_eval(quoted[0]))
        except (ValueError, SyntaxError, TypeError):
            pass
    start = text.find("{")
    try:
        payload: Any = json.JSONDecoder().raw_decode(text[start:])[0] if start >= 0 else None
    except ValueError:
        payload = None
    return json.dumps(payload).encode() if payload else _plain_words(text).encode(errors="replace")


def _plain_words(text: str) -> str:
    """The words without litellm's class names in front and its advice behind."""
    text = _HEAD.sub("", _TAIL.sub("", text).strip())
    sentences = re.split(r"(?<=[.!?])\s+|\n+", text)
    kept = [sentence for sentence in sentences if not re.search(r"litellm|BerriAI", sentence, re.IGNORECASE)]
    return " ".join(kept) or text.replace("litellm.", "")
