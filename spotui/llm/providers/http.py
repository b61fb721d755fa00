"""One endpoint's pool of HTTP connections, and bounds on what it receives."""

import os
from collections.abc import Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from spotui.domain.secret import Secret
from spotui.lang import _
from spotui.llm.options import Options
from spotui.llm.protocol import AuthenticationError, BadRequestError, OversizedReplyError
from spotui.llm.providers.base_url import BaseUrl
from spotui.llm.providers.faults.http_errors import (
    Target,
    not_http,
    redirect_error,
    transport_errors,
    unasked_compression,
)
from spotui.llm.routing import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from ssl import SSLContext

    from aiohttp import ClientResponse, ClientSession
    from yarl import URL

    from spotui.llm.providers.http_bodies import HttpResponse


def trusting_context() -> "SSLContext":
    """How TLS is spoken: with the authorities that the environment names, or those of certifi.

    Raises:
        OSError: SSL_CERT_FILE or SSL_CERT_DIR names what cannot be read.
    """
    import ssl

    import certifi

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not (file or folder):
        file = certifi.where()
    context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    context.set_alpn_protocols(["http/1.1"])
    return context


MIB: Final = 1024 * 1024
LONGEST_REPLY: Final = 4 * MIB
"""As much of a reply as is kept, text and reasoning together: about a million tokens."""

LONGEST_BODY: Final = 256 * MIB
"""As much as is read for one reply: a stream takes some hundred bytes for each token."""


def check_size(size: int, target: Target, most: int = LONGEST_REPLY) -> None:
    """Make sure that a reply under way can still be kept.

    Raises:
        OversizedReplyError: It is too long; the rest is not read.
    """
    if size > most:
        raise oversized(target, most)


def oversized(target: Target, most: int = LONGEST_REPLY) -> OversizedReplyError:
    """The error for a reply that is too long."""
    return OversizedReplyError(
        _(
            "{place} sent more than {most} MiB for one reply, and the rest was not read.",
            place=target,
            most=most // MIB,
        ),
        _("Set max_tokens for this model, or check what the endpoint sends."),
    )


# aiohttp reads these, or says that it cannot.
_READABLE: Final = frozenset({"", "identity", "gzip", "deflate", "br", "zstd"})

_KEEP_ALIVE_SECONDS: Final = 60.0
_LONGEST_FAULT: Final = 65_536
_LONGEST_HEADER: Final = 65_536

_MOVED: Final = frozenset({301, 302, 307, 308})
_KEY_REFUSED: Final = frozenset({401, 403})
_OTHER_KEY_HEADERS: Final = ("api-key", "x-api-key", "Ocp-Apim-Subscription-Key")
"""Where Azure, AWS and gateways of theirs look for a key in place of Authorization."""


_NO_OPTIONS: Final = Options()


class HttpPool:
    """Sends requests below a base URL, with the key, and names what goes wrong on the way.

    Args:
        endpoint: Where to; its `silence` bounds the time to connect, and between two bytes.

    Attributes:
        place: The endpoint as errors name it.

    Raises:
        BadRequestError: The base URL is missing or is no http address.
        AuthenticationError: The key holds characters no header can carry.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._base_url = BaseUrl(endpoint.base_url, endpoint.model)
        # A key that was read from a file often ends in a newline.
        key = endpoint.api_key.reveal().strip() if endpoint.api_key else ""
        self._key = Secret(key)
        secrets = (self._key, *self._base_url.secrets, *endpoint.values.values())
        self.target = Target(
            endpoint.model,
            self._base_url.shown,
            secrets,
            has_key=bool(key),
            key_hint=endpoint.key_hint,
        )
        if not (key.isascii() and key.isprintable()):
            raise AuthenticationError(
                _("The key for {place} holds characters that no HTTP header can carry.", place=self.target),
                _("Copy it again."),
            )
        self._timeout = endpoint.silence
        self._session: ClientSession | None = None
        self._retired: list[ClientSession] = []
        self._keeps_connections = True
        self._slashed: set[str] = set()
        self._key_headers = self._usual_headers()
        self._is_key_settled = not key

    @asynccontextmanager
    async def send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        more: Options = _NO_OPTIONS,
        *,
        content_type: str = "application/json",
    ) -> "AsyncIterator[HttpResponse]":
        """Send one request; leaving the block ends the exchange, whole or not.

        A POST is sent once: only a GET is sent again, when its kept connection turns out to be closed. It is
        sent anew where the endpoint only wants a slash at the end of the address, or the key in a header of
        another name; it never goes to another address than the base URL's.

        Args:
            method: GET or POST.
            path: Below the base URL, such as `/models`.
            content: The body.
            more: Headers and query beside the usual ones.
            content_type: Of the body.

        Yields:
            The response with its body still to be read; a redirect is an error.

        Raises:
            ModelError: The endpoint cannot be reached, in the request or while its body is read.
        """
        from spotui.llm.providers.http_bodies import HttpResponse

        with transport_errors(self.target, self._timeout, self._base_url.is_proxied):
            async with AsyncExitStack() as exchange:
                sent = self._key_headers
                response = await exchange.enter_async_context(
                    await self._request(method, path, content, more, content_type)
                )
                if _adds_a_slash(response):
                    self._slashed.add(path)
                    response = await exchange.enter_async_context(
                        await self._request(method, path, content, more, content_type)
                    )
                if response.status not in _KEY_REFUSED:
                    self._is_key_settled = True
                elif (
                    other := await self._with_another_header(method, path, content, more, sent, content_type)
                ) is not None:
                    response = await exchange.enter_async_context(other)
                if response.status < 200:
                    raise not_http(self.target, _("it wants to speak another protocol"))
                if 300 <= response.status < 400:
                    location = response.headers.get("Location", "")
                    raise redirect_error(self.target, response.status, location)
                coding = response.headers.get("Content-Encoding", "identity").strip().lower()
                if coding not in _READABLE:
                    raise unasked_compression(self.target, self.target.quote(coding))
                yield HttpResponse(response, self._timeout, self.target)

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        sessions = [*self._retired, *([self._session] if self._session else [])]
        self._session, self._retired = None, []
        for session in sessions:
            await session.close()

    async def _request(
        self, method: str, path: str, content: bytes | None, more: Options, content_type: str
    ) -> "ClientResponse":
        import aiohttp

        from spotui.llm.providers.http_bodies import RequestBody

        url = self._base_url.at(f"{path}/" if path in self._slashed else path)
        url = url.update_query(more.query) if more.query else url
        body = None if content is None else RequestBody(content, self._timeout, content_type)
        if self._session is None:
            self._session = self._open()
        try:
            return await self._session.request(
                method, url, data=body, headers={**more.headers, **self._key_headers}, allow_redirects=False
            )
        except aiohttp.ClientConnectorError:
            raise
        except aiohttp.ClientConnectionError:
            self._keep_no_connections()
            raise

    def _keep_no_connections(self) -> None:
        """Open a new connection for each request from now on.

        A kept connection that turned out to be dead is seldom alone, and each try would take the next of
        them. Calls under way keep theirs.
        """
        if self._keeps_connections and self._session is not None:
            self._keeps_connections = False
            self._retired.append(self._session)
            self._session = None

    async def _with_another_header(
        self,
        method: str,
        path: str,
        content: bytes | None,
        more: Options,
        sent: Mapping[str, str],
        content_type: str,
    ) -> "ClientResponse | None":
        """The response when the key stands where Azure and gateways look for it; None if it is refused, too.

        It is tried once: whatever comes of it settles where the key goes, also for calls that were sent
        before that was known.
        """
        is_trial = not self._is_key_settled
        if is_trial:
            self._is_key_settled = True
            self._key_headers = dict.fromkeys(_OTHER_KEY_HEADERS, self._key.reveal())
        if self._key_headers is sent:
            return None
        response = await self._request(method, path, content, more, content_type)
        if response.status not in _KEY_REFUSED:
            return response
        response.close()
        if is_trial:
            self._key_headers = self._usual_headers()
        return None

    def _usual_headers(self) -> dict[str, str]:
        if self.target.has_key:
            return {"Authorization": f"Bearer {self._key.reveal()}"}
        login = self._base_url.authorization
        return {} if login is None else {"Authorization": login}

    def _open(self) -> "ClientSession":
        import aiohttp

        headers = {"Accept": "text/event-stream, application/json", "User-Agent": "spotui"}
        proxy = self._proxy()
        # Reading the certificate authorities costs 70 ms, for nothing when no TLS is spoken.
        tls: dict[str, Any] = {}
        if self._base_url.is_tls or (proxy is not None and proxy.scheme == "https"):
            tls["ssl"] = self._tls()
        keeping: dict[str, Any] = {"force_close": True}
        if self._keeps_connections:
            keeping = {"keepalive_timeout": _KEEP_ALIVE_SECONDS}
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                **keeping,
                resolver=aiohttp.ThreadedResolver(),  # the system's own, whatever else is installed
                **tls,
            ),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._timeout, sock_read=self._timeout),
            proxy=proxy,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )

    def _proxy(self) -> "URL | None":
        try:
            return self._base_url.proxy()
        except ValueError:
            # Its text may quote the proxy's password.
            raise BadRequestError(
                _("The proxy that the environment names for {place} cannot be used.", place=self.target),
                _("Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY; they take http and https proxies."),
            ) from None

    def _tls(self) -> object:

        try:
            return trusting_context()
        except OSError as error:
            raise BadRequestError(
                _("The trusted certificates cannot be read: {strerror}.", strerror=error.strerror or error),
                _("Check SSL_CERT_FILE and SSL_CERT_DIR in the environment."),
            ) from error


async def fault_body(response: "HttpResponse") -> bytes:
    """The beginning of a failed response's body: as much of it as came, enough for any message."""
    from aiohttp import ClientError

    body = b""
    with suppress(ClientError):
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) >= _LONGEST_FAULT:
                break
    return body


def _adds_a_slash(response: "ClientResponse") -> bool:
    """Whether a redirect leads to the same address with a slash at its end.

    Only the slash is taken from it: behind a gateway, its scheme and port are those of another machine.
    """
    from yarl import URL

    url = response.url
    if response.status not in _MOVED or url.raw_path.endswith("/"):
        return False
    try:
        target = url.join(URL(response.headers.get("Location", "")))
    except ValueError:
        return False
    return target.host == url.host and target.raw_path == f"{url.raw_path}/"
