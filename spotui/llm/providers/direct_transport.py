"""HTTP/1.1 to a server that no proxy stands before: h11 speaks it, asyncio carries it.

httpx's own transport gives way to the event loop some ten times a call. With 32 replies at once, each of
them waits at every turn for the 31 others, and all the next requests go out together when the last reply is
read; here a call goes from its reply to the next request in one turn. It also takes half the CPU time.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import h11

from spotui.llm.http_library import httpx
from spotui.llm.providers.socket_stream import SocketStream

if TYPE_CHECKING:
    from ssl import SSLContext

_LONGEST_HEAD: Final = 100 * 1024
_PORTS: Final = {"http": 80, "https": 443}


class DirectTransport(httpx.AsyncBaseTransport):
    """One connection to one server, opened by the first request and kept for the next.

    It carries one request at a time. Its errors are httpx's, in the words of httpx's own transport.

    Args:
        tls: How https is spoken.
        keep_alive: Seconds that the connection is kept while nothing is asked.
    """

    def __init__(self, tls: "SSLContext", keep_alive: float) -> None:
        self._tls = tls
        tls.set_alpn_protocols(["http/1.1"])
        self._keep_alive = keep_alive
        self._stream: SocketStream | None = None
        self._idle_since = 0.0
        self._http = _new_exchange()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the response with its body still to be read; see httpx."""
        timeouts = request.extensions.get("timeout", {})
        try:
            stream = await self._connected(request.url, timeouts.get("connect"))
            with _in_words(httpx.WriteTimeout, httpx.WriteError):
                async with asyncio.timeout(timeouts.get("write")):
                    await stream.write(self._encoded(request))
            head = await self._head(timeouts.get("read"))
        except BaseException:
            self._hang_up()
            raise
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=_Body(self, timeouts.get("read")),
            extensions={"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason},
        )

    async def body(self, seconds: float | None) -> AsyncIterator[bytes]:
        """The body of the response, in the pieces it comes in.

        Args:
            seconds: How long the server may be silent.
        """
        while isinstance(event := await self._next_event(seconds), h11.Data):
            yield bytes(event.data)

    def end(self) -> None:
        """The response is read, or nobody wants the rest: keep the connection if the next can use it."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._idle_since = time.monotonic()
        else:
            self._hang_up()

    async def aclose(self) -> None:
        """Close the connection; safe to call twice."""
        self._hang_up()

    async def _connected(self, url: httpx.URL, seconds: float | None) -> SocketStream:
        if self._stream is not None:
            is_fresh = time.monotonic() - self._idle_since < self._keep_alive
            if is_fresh and self._stream.is_quiet:
                return self._stream
            self._hang_up()
        tls = self._tls if url.scheme == "https" else None
        with _in_words(httpx.ConnectTimeout, httpx.ConnectError):
            async with asyncio.timeout(seconds):
                host, port = url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
                self._stream = await SocketStream.connect(host, port, tls)
        return self._stream

    async def _head(self, seconds: float | None) -> h11.Response:
        while isinstance(head := await self._next_event(seconds), h11.InformationalResponse):
            pass
        if not isinstance(head, h11.Response):
            raise httpx.RemoteProtocolError("it wants to speak another protocol")
        return head

    def _encoded(self, request: httpx.Request) -> bytes:
        try:
            head = h11.Request(
                method=request.method, target=request.url.raw_path, headers=request.headers.raw
            )
            parts = [self._http.send(head)]
            if request.content:
                parts.append(self._http.send(h11.Data(request.content)))
            parts.append(self._http.send(h11.EndOfMessage()))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        return b"".join(part for part in parts if part)

    async def _next_event(self, seconds: float | None) -> h11.Event | type[h11.PAUSED]:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]  # mypy knows no narrowing by such a marker
            data = await self._received(seconds)
            if not data and self._http.their_state is h11.SEND_RESPONSE:
                raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
            self._http.receive_data(data)

    async def _received(self, seconds: float | None) -> bytes:
        if self._stream is None:
            raise httpx.ReadError("the connection is closed")
        with _in_words(httpx.ReadTimeout, httpx.ReadError):
            async with asyncio.timeout(seconds):
                return await self._stream.read()

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._http = _new_exchange()


class _Body(httpx.AsyncByteStream):
    def __init__(self, transport: DirectTransport, seconds: float | None) -> None:
        self._transport = transport
        self._seconds = seconds

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._transport.body(self._seconds)

    async def aclose(self) -> None:
        self._transport.end()


def _new_exchange() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)


@contextmanager
def _in_words(late: type[httpx.TimeoutException], failed: type[httpx.NetworkError]) -> Iterator[None]:
    """Turn asyncio's own errors into httpx's."""
    try:
        yield
    except TimeoutError as error:
        raise late("") from error
    except OSError as error:
        raise failed(str(error)) from error
