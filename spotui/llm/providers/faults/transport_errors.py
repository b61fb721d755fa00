"""Failures below HTTP, told apart: nobody listens, no such host, no trust, no route, silence."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spotui.llm.errors import MalformedReplyError, ModelError, TimedOutError, UnavailableError
from spotui.llm.providers.faults.place import Place

if TYPE_CHECKING:
    import httpx

_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})

_MEND_PROXY = "Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or add the host to NO_PROXY."


@contextmanager
def transport_errors(place: Place, timeout: float, is_proxied: Callable[[], bool]) -> Iterator[None]:
    """Turn the HTTP client's own exceptions into ours.

    Args:
        place: Where the call goes.
        timeout: Seconds of silence allowed, for the sentence.
        is_proxied: Tells whether a proxy of the environment is on the way; asked only after a failure.

    Raises:
        TimedOutError: The endpoint was silent for too long.
        UnavailableError: It cannot be reached, or the connection broke before a reply.
        MalformedReplyError: It does not speak HTTP, or broke off in the middle of a reply.
    """
    from spotui.llm.http_library import httpx

    try:
        yield
    except httpx.TimeoutException as error:
        raise _timed_out(place, error, timeout) from error
    except httpx.RequestError as error:
        raise _unreachable(place, error, is_proxied) from error


def _timed_out(place: Place, error: "httpx.TimeoutException", timeout: float) -> TimedOutError:
    from spotui.llm.http_library import httpx

    did = "took no connection" if isinstance(error, httpx.ConnectTimeout) else "sent nothing"
    return TimedOutError(
        f"{place} {did} for {timeout:g} seconds.",
        "Check that it is up, or raise the timeout of this model.",
    )


def _unreachable(place: Place, error: "httpx.RequestError", is_proxied: Callable[[], bool]) -> ModelError:
    from spotui.llm.http_library import httpx

    words = place.quote(str(error)) or type(error).__name__
    if isinstance(error, httpx.ProxyError):
        return UnavailableError(f"The proxy on the way to {place} failed: {words}.", _MEND_PROXY)
    if isinstance(error, httpx.DecodingError):
        return MalformedReplyError(f"{place} sent a reply that cannot be decompressed: {words}", "Try again.")
    if isinstance(error, httpx.RemoteProtocolError):
        return _protocol_error(place, words)
    reason, mend = _reason(error) or (f"the connection broke ({words})", "Check the network and the server.")
    if is_proxied():
        return UnavailableError(
            f"Cannot reach {place} through the environment's proxy: {reason}.", _MEND_PROXY
        )
    return UnavailableError(f"Cannot reach {place}: {reason}.", mend)


def _protocol_error(place: Place, words: str) -> ModelError:
    if "without sending a response" in words:
        return UnavailableError(
            f"{place} closed the connection without an answer.", "Check that the server is still running."
        )
    if "message body" in words:
        return MalformedReplyError(f"{place} broke off in the middle of its reply.", "Try again.")
    return MalformedReplyError(
        f"{place} does not answer in HTTP: {words}.",
        "Check the port, and whether the base URL should begin with https.",
    )


def _reason(error: BaseException) -> tuple[str, str] | None:
    """The operating system's reason behind a client error, and what to do about it."""
    import socket
    import ssl

    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "its host name is unknown", "Check the spelling of the base URL, and the network."
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"its certificate is not trusted ({cause.verify_message})",
                "Set SSL_CERT_FILE to the certificate of its authority.",
            )
        if isinstance(cause, ssl.SSLError):
            mend = "Check whether its base URL should begin with http rather than https."
            return f"no secure connection could be made ({cause.reason})", mend
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused", "Start the server, or check host and port of the base URL."
        if isinstance(cause, (ConnectionResetError, BrokenPipeError)):
            return "the connection was reset", "Check that the server is still running."
        if isinstance(cause, OSError) and cause.errno in _NO_ROUTE:
            return "there is no route to it", "Check the network."
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what caused it, and what failed side by side when several addresses were tried."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for failure in error.exceptions:
            yield from _causes(failure)
    # The HTTP client cuts some causes off, but every exception remembers what it was raised upon.
    behind = error.__cause__ or error.__context__
    if behind is not None:
        yield from _causes(behind)
