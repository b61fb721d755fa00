"""Where a call goes, as errors name it, and what of a server's own words may be repeated."""

import errno
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spotui.domain.errors import limit_reached
from spotui.domain.secret import Secret
from spotui.lang import N_, _
from spotui.llm.protocol import (
    AuthenticationError,
    BadRequestError,
    ContentFilteredError,
    ContextOverflowError,
    MalformedReplyError,
    ModelError,
    RateLimitedError,
    RequestRefusedError,
    TimedOutError,
    UnavailableError,
)
from spotui.llm.providers.faults.fault_kinds import kind_of
from spotui.llm.providers.faults.server_fault import ServerFault

if TYPE_CHECKING:
    import aiohttp


_LONGEST_QUOTE = 300


class Target:
    """A model at an endpoint, in the words of an error.

    Args:
        model: The model id as the user wrote it.
        base_url: The endpoint without credentials and query.
        secrets: What a quotation of the server must not repeat.
        has_key: Whether a key is sent.
        key_hint: What to do where none is and the endpoint asks for one; empty to set it.
    """

    def __init__(
        self, model: str, base_url: str, secrets: Iterable[Secret], *, has_key: bool, key_hint: str = ""
    ) -> None:
        self.model = model
        self.base_url = base_url
        self.has_key = has_key
        self.key_hint = key_hint or _(
            "Set its key, for example 'export MY_KEY=…', and name MY_KEY as api_key_env of {model} in the "
            "config file or on the models screen.",
            model=model,
        )
        self._secrets = tuple(secrets)

    def __str__(self) -> str:
        return _("{model} at {base_url}", model=self.model, base_url=self.base_url)

    def quote(self, text: str) -> str:
        """The server's words on one line, masked first and then cut, so that no part of a key is left."""
        # A part of one key may be a part of another: what stands as it is goes first.
        for secret in self._secrets:
            text = secret.redact_plain(text)
        for secret in self._secrets:
            text = secret.redact(text)
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1].rstrip() + "…"

    def sentence(self, head: str, words: str = "") -> str:
        """One sentence: what happened, followed by the server's own words where it said any."""
        quoted = self.quote(words)
        if not quoted:
            return _("{what}.", what=head)
        if quoted.endswith((*".!?…。！？",)):
            return _("{what}: {words}", what=head, words=quoted)
        return _("{what}: {words}.", what=head, words=quoted)


def fault_error(target: Target, fault: ServerFault) -> ModelError:
    """The error for a server's refusal or failure.

    Args:
        target: Where the call went.
        fault: What the server answered; a status of 0 is one that broke off a reply under way.
    """
    note = f" (HTTP {fault.status})" if fault.status else ""
    match kind_of(fault):
        case "no_money":
            return BadRequestError(
                target.sentence(
                    _("The account behind {place} has no quota left{note}", place=target, note=note),
                    fault.message,
                ),
                _(
                    "Top it up, or use another key or model than this one for {base_url}.",
                    base_url=target.base_url,
                ),
            )
        case "overflow":
            return ContextOverflowError(
                target.sentence(
                    _("The request is longer than {place} takes{note}", place=target, note=note),
                    fault.message,
                ),
                _("Shorten the prompt or the questions, or use a model with a longer context window."),
            )
        case "filtered":
            return ContentFilteredError(
                target.sentence(
                    _("The content filter of {place} stopped the request{note}", place=target, note=note),
                    fault.message,
                ),
                _("Change or leave out the text that the filter objects to, or use another model."),
            )
        case "rate_limited":
            return RateLimitedError(
                target.sentence(_("{place} asks to slow down{note}", place=target, note=note), fault.message),
                _slower(fault.retry_after),
                retry_after=fault.retry_after,
            )
        case "authentication":
            return _authentication(target, fault, note)
        case "unavailable":
            return UnavailableError(
                target.sentence(_("{place} failed to answer{note}", place=target, note=note), fault.message),
                _("Try again later; if the server is yours, its log says more."),
                retry_after=fault.retry_after,
            )
        case "unknown":
            versioned = re.search(r"/v\d", target.base_url) is not None
            return BadRequestError(
                target.sentence(
                    _("{place} knows no such model or address{note}", place=target, note=note), fault.message
                ),
                _("Check the model id and the base URL.")
                if versioned
                else _("Check the model id and the base URL: does it end in /v1?"),
            )
        case "refused":
            return RequestRefusedError(
                target.sentence(
                    _("{place} refuses the request{note}", place=target, note=note), fault.message
                ),
                _("Change what it complains about in the model's settings or the template."),
            )


def redirect_error(target: Target, status: int, location: str) -> BadRequestError:
    """The error for an endpoint that points elsewhere; a key is not carried to another address unasked."""
    root = location.partition("?")[0].removesuffix("/chat/completions")
    return BadRequestError(
        target.sentence(_("{place} has moved (HTTP {status})", place=target, status=status), root),
        _("Put the new address into the base URL."),
    )


def _authentication(target: Target, fault: ServerFault, note: str) -> AuthenticationError:
    if not target.has_key:
        return AuthenticationError(
            target.sentence(
                _("{place} asks for a key, and none is set{note}", place=target, note=note), fault.message
            ),
            target.key_hint,
        )
    return AuthenticationError(
        target.sentence(_("{place} does not accept the key{note}", place=target, note=note), fault.message),
        _("Check the key for {base_url}, and that it may use this model.", base_url=target.base_url),
    )


def _slower(retry_after: float | None) -> str:
    if retry_after is None:
        return _("Lower its concurrency or its requests per minute, or raise --retry-seconds.")
    if retry_after >= 7200:
        wait = _("{hours:.0f} hours", hours=retry_after / 3600)
    elif retry_after >= 120:
        wait = _("{minutes:.0f} minutes", minutes=retry_after / 60)
    else:
        wait = _("{seconds:.3g} seconds", seconds=retry_after)
    return _("It asks to wait {wait}: try again after that, or raise --retry-seconds.", wait=wait)


_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})

# aiohttp's own words, the only sign of it.
_UNREADABLE = re.compile(r"decode content-encoding: ([\w ()-]+)")

_PROXY_HINT = N_("Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or add the host to NO_PROXY.")


@contextmanager
def transport_errors(target: Target, timeout: float, is_proxied: Callable[[], bool]) -> Iterator[None]:
    """Turn the HTTP client's own exceptions into ours.

    Args:
        target: Where the call goes.
        timeout: Seconds of silence allowed, for the sentence.
        is_proxied: Tells whether a proxy of the environment is on the way; asked only after a failure.

    Raises:
        TimedOutError: The endpoint was silent for too long.
        UnavailableError: It cannot be reached, or the connection broke before a reply.
        MalformedReplyError: It does not speak HTTP, or broke off in the middle of a reply.
    """
    import aiohttp
    from aiohttp.http import HttpProcessingError

    try:
        yield
    except aiohttp.ServerTimeoutError as error:
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            raise not_connected(target, timeout) from error
        raise timed_out(target, timeout) from error
    except aiohttp.ClientError as error:
        raise _client_error(target, error, is_proxied) from error
    except HttpProcessingError as error:
        raise not_http(target, error.message) from error


def timed_out(target: Target, timeout: float) -> TimedOutError:
    """Nothing came for so many seconds."""
    return TimedOutError(
        _("{place} sent nothing for {timeout:g} seconds.", place=target, timeout=timeout),
        _("Check that it is up, or raise the timeout of this model."),
    )


def not_connected(target: Target, timeout: float) -> UnavailableError:
    """No connection could be made for so many seconds, so the request was never sent."""
    return UnavailableError(
        _("{place} took no connection for {timeout:g} seconds.", place=target, timeout=timeout),
        _("Check that it is up, or raise the timeout of this model."),
    )


def no_answer(target: Target) -> UnavailableError:
    """The connection was closed in place of an answer."""
    return UnavailableError(
        _("{place} closed the connection without an answer.", place=target),
        _("Check that the server is still running."),
    )


def broke_off(target: Target) -> MalformedReplyError:
    """The answer ended before its end."""
    return MalformedReplyError(
        _("{place} broke off in the middle of its reply.", place=target), _("Try again.")
    )


def not_decompressed(target: Target, words: str) -> MalformedReplyError:
    """The answer is not compressed as it says."""
    return MalformedReplyError(
        target.sentence(_("{place} sent a reply that cannot be decompressed", place=target), words),
        _("Try again."),
    )


def unasked_compression(target: Target, coding: str) -> BadRequestError:
    """The answer is compressed in a way that was not asked for."""
    return BadRequestError(
        _(
            "{place} compresses its reply with {coding}, which was not asked for and cannot be read.",
            place=target,
            coding=coding,
        ),
        _("Turn compression off in the server, or in the proxy in front of it."),
    )


def not_http(target: Target, words: str) -> MalformedReplyError:
    """What came is no HTTP."""
    return MalformedReplyError(
        target.sentence(_("{place} does not answer in HTTP", place=target), words),
        _("Check the port, and whether the base URL should begin with https."),
    )


def proxy_failed(target: Target, words: str) -> UnavailableError:
    """A proxy answered in place of the endpoint."""
    return UnavailableError(
        target.sentence(_("The proxy on the way to {place} failed", place=target), words), _(_PROXY_HINT)
    )


def unreachable(target: Target, error: BaseException, is_proxied: Callable[[], bool]) -> UnavailableError:
    """The connection could not be made, or broke.

    Args:
        target: Where the call went.
        error: What was raised; the operating system's reason is looked for behind it.
        is_proxied: Tells whether a proxy of the environment is on the way.
    """
    if (limit := limit_reached(error)) is not None:
        return UnavailableError(
            _("Cannot reach {place}. {limit}", place=target, limit=limit.what), limit.hint
        )
    known = _reason(error)
    words = target.quote(str(error.__cause__ or error)) or type(error).__name__
    reason, hint = known or (
        _("the connection broke ({words})", words=words),
        _("Check the network and the server."),
    )
    if is_proxied():
        return UnavailableError(
            _("Cannot reach {place} through the environment's proxy: {reason}.", place=target, reason=reason),
            _(_PROXY_HINT),
        )
    return UnavailableError(_("Cannot reach {place}: {reason}.", place=target, reason=reason), hint)


def _client_error(target: Target, error: "aiohttp.ClientError", is_proxied: Callable[[], bool]) -> ModelError:
    import aiohttp

    if isinstance(error, aiohttp.ClientHttpProxyError):
        return proxy_failed(target, f"HTTP {error.status} {error.message}")
    if isinstance(error, aiohttp.ClientResponseError):
        if (coding := _UNREADABLE.search(error.message)) is not None:
            return unasked_compression(target, coding[1])
        return not_http(target, error.message)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return no_answer(target)
    if isinstance(error, aiohttp.ClientPayloadError):
        return _payload_error(target, error, is_proxied)
    return unreachable(target, error, is_proxied)


def _payload_error(
    target: Target, error: "aiohttp.ClientPayloadError", is_proxied: Callable[[], bool]
) -> ModelError:
    from aiohttp.http_exceptions import ContentEncodingError

    for cause in _causes(error):
        if isinstance(cause, ContentEncodingError):
            return not_decompressed(target, cause.message)
    # Only the text names a reset connection.
    if ConnectionResetError.__name__ in str(error):
        return unreachable(target, ConnectionResetError(), is_proxied)
    return broke_off(target)


def _reason(error: BaseException) -> tuple[str, str] | None:
    """The operating system's reason behind a client error, and what to do about it."""
    import socket
    import ssl

    for cause in _causes(error):
        if isinstance(cause.__cause__, ssl.SSLError):
            continue  # the HTTP client's own, which tells less
        if isinstance(cause, socket.gaierror):
            return _("its host name is unknown"), _("Check the spelling of the base URL, and the network.")
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                _("its certificate is not trusted ({verify_message})", verify_message=cause.verify_message),
                _("Set SSL_CERT_FILE to the certificate of its authority."),
            )
        if isinstance(cause, ssl.SSLError):
            hint = _("Check whether its base URL should begin with http rather than https.")
            return _("no secure connection could be made ({reason})", reason=cause.reason), hint
        if isinstance(cause, ConnectionRefusedError):
            return _("the connection was refused"), _(
                "Start the server, or check host and port of the base URL."
            )
        if isinstance(cause, (ConnectionResetError, BrokenPipeError)):
            return _("the connection was reset"), _("Check that the server is still running.")
        if isinstance(cause, OSError) and cause.errno in _NO_ROUTE:
            return _("there is no route to it"), _("Check the network.")
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
