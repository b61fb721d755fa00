"""One endpoint's pool of HTTP connections, opened by the first request.

They are aiohttp's: of the well-kept clients it is the one that goes from a reply to the next request in the
fewest turns of the event loop, and litellm brings it anyway.
"""

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from spotui.llm.endpoint import Endpoint
from spotui.llm.errors import AuthenticationError, BadRequestError
from spotui.llm.providers.base_url import BaseUrl
from spotui.llm.providers.faults.http_errors import redirect_error
from spotui.llm.providers.faults.place import Place
from spotui.llm.providers.faults.transport_errors import not_http, transport_errors
from spotui.secret import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession
    from yarl import URL

    from spotui.llm.providers.http_response import HttpResponse

_KEEP_ALIVE_SECONDS: Final = 60.0
_LONGEST_FAULT: Final = 65_536
_LONGEST_HEADER: Final = 65_536


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
        secrets = (self._key, *self._base_url.secrets)
        self.place = Place(endpoint.model, self._base_url.shown, secrets, has_key=bool(key))
        if not (key.isascii() and key.isprintable()):
            raise AuthenticationError(
                f"The key for {self.place} holds characters that no HTTP header can carry.", "Copy it again."
            )
        self._timeout = endpoint.silence
        self._session: ClientSession | None = None

    @asynccontextmanager
    async def send(
        self, method: str, path: str, content: bytes | None = None
    ) -> "AsyncIterator[HttpResponse]":
        """Send one request; leaving the block ends the exchange, whole or not.

        A POST is sent once: only a GET is sent again, when its kept connection turns out to be closed.

        Args:
            method: GET or POST.
            path: Below the base URL, such as `/models`.
            content: A JSON body.

        Yields:
            The response with its body still to be read; a redirect is an error.

        Raises:
            ModelError: The endpoint cannot be reached, in the request or while its body is read.
        """
        from spotui.llm.http_bodies import RequestBody
        from spotui.llm.providers.http_response import HttpResponse

        url = self._base_url.at(path)
        body = None if content is None else RequestBody(content, self._timeout)
        if self._session is None:
            self._session = self._open()
        with transport_errors(self.place, self._timeout, self._base_url.is_proxied):
            async with self._session.request(method, url, data=body, allow_redirects=False) as response:
                if response.status < 200:
                    raise not_http(self.place, "it wants to speak another protocol")
                if 300 <= response.status < 400:
                    location = response.headers.get("Location", "")
                    raise redirect_error(self.place, response.status, location)
                yield HttpResponse(response, self._timeout, self.place)

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> "ClientSession":
        import aiohttp

        headers = {"Accept": "text/event-stream, application/json", "User-Agent": "spotui"}
        if self.place.has_key:
            headers["Authorization"] = f"Bearer {self._key.reveal()}"
        elif self._base_url.authorization is not None:
            headers["Authorization"] = self._base_url.authorization
        proxy = self._proxy()
        # Reading the certificate authorities costs 70 ms, for nothing when no TLS is spoken.
        tls: dict[str, Any] = {}
        if self._base_url.is_tls or (proxy is not None and proxy.scheme == "https"):
            tls["ssl"] = self._tls()
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                keepalive_timeout=_KEEP_ALIVE_SECONDS,
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
                f"The proxy that the environment names for {self.place} cannot be used.",
                "Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY; they take http and https proxies.",
            ) from None

    def _tls(self) -> object:
        from spotui.llm.trust import trusting_context

        try:
            return trusting_context()
        except OSError as error:
            raise BadRequestError(
                f"The trusted certificates cannot be read: {error.strerror or error}.",
                "Check SSL_CERT_FILE and SSL_CERT_DIR in the environment.",
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
