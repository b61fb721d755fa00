"""One endpoint's pool of HTTP connections, opened by the first request."""

from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from spotui.llm.endpoint import Endpoint
from spotui.llm.errors import AuthenticationError, BadRequestError
from spotui.llm.providers.base_url import BaseUrl
from spotui.llm.providers.faults.http_errors import redirect_error
from spotui.llm.providers.faults.place import Place
from spotui.llm.providers.faults.transport_errors import transport_errors
from spotui.secret import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from ssl import SSLContext

    import httpx

_KEEP_ALIVE_SECONDS = 60.0
_LONGEST_FAULT = 65_536


class HttpPool:
    """Sends requests below a base URL, with the key, and names what goes wrong on the way.

    Args:
        endpoint: Where to; its `timeout` bounds every silence: to connect, and between two bytes.

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
        self._endpoint = endpoint
        self._tls: SSLContext | None = None
        self._clients: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def send(
        self, method: str, path: str, content: bytes | None = None
    ) -> "AsyncIterator[httpx.Response]":
        """Send one request; leaving the block ends the exchange, whole or not.

        Args:
            method: GET or POST.
            path: Below the base URL, such as `/models`.
            content: A JSON body.

        Yields:
            The response with its body still to be read; a redirect is an error.

        Raises:
            ModelError: The endpoint cannot be reached, in the request or while its body is read.
        """
        url = self._base_url.at(path, with_login=not self.place.has_key)
        with transport_errors(self.place, self._endpoint.timeout, self._base_url.is_proxied):
            async with (
                self._one_client() as client,
                client.stream(method, url, content=content) as response,
            ):
                if response.is_redirect:
                    location = response.headers.get("location", "")
                    raise redirect_error(self.place, response.status_code, location)
                yield response

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        clients, self._clients, self._idle = self._clients, [], []
        async with AsyncExitStack() as closing:
            for client in clients:
                closing.push_async_callback(client.aclose)

    @asynccontextmanager
    async def _one_client(self) -> "AsyncIterator[httpx.AsyncClient]":
        """A client that nobody else uses meanwhile, so that it holds one connection.

        In a pool of httpcore every request looks at every connection, and at each one once more for each:
        with 32 of them that takes more time than all the rest of a call.
        """
        if self._idle:
            client = self._idle.pop()
        else:
            client = self._open()
            self._clients.append(client)
        try:
            yield client
        finally:
            if client in self._clients:
                self._idle.append(client)

    def _open(self) -> "httpx.AsyncClient":
        from spotui.llm.http_library import httpx
        from spotui.llm.providers.direct_transport import DirectTransport

        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=1, keepalive_expiry=_KEEP_ALIVE_SECONDS
        )
        headers = {"Accept": "text/event-stream, application/json", "User-Agent": "spotui"}
        headers["Content-Type"] = "application/json"
        if self.place.has_key:
            headers["Authorization"] = f"Bearer {self._key.reveal()}"
        try:
            # Reading the certificate authorities costs 70 ms, for nothing when no TLS is spoken.
            verify = self._tls = self._tls or httpx.create_ssl_context(verify=self._base_url.is_tls)
            # A transport of our own keeps the proxies of the environment out.
            direct = None if self._base_url.is_proxied() else DirectTransport(verify, _KEEP_ALIVE_SECONDS)
            return httpx.AsyncClient(
                verify=verify,
                limits=limits,
                headers=headers,
                timeout=httpx.Timeout(self._endpoint.timeout, pool=None),
                transport=direct,
            )
        except (ValueError, ImportError, httpx.InvalidURL):
            # Their texts may quote a proxy's password.
            raise BadRequestError(
                f"The proxy that the environment names for {self.place} cannot be used.",
                "Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY; SOCKS needs the package socksio.",
            ) from None
        except OSError as error:
            raise BadRequestError(
                f"The trusted certificates cannot be read: {error.strerror or error}.",
                "Check SSL_CERT_FILE and SSL_CERT_DIR in the environment.",
            ) from error


async def fault_body(response: "httpx.Response") -> bytes:
    """The beginning of a failed response's body: as much of it as came, enough for any message."""
    from spotui.llm.http_library import httpx

    body = b""
    with suppress(httpx.RequestError):
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) >= _LONGEST_FAULT:
                break
    return body
