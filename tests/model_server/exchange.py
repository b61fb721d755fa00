"""One client's connection: HTTP/1.1 with keep-alive, driven by callbacks, to cost little CPU."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from tests.model_server.records import Outcome, Recorded
from tests.model_server.scripted import JsonObject, Scripted
from tests.model_server.wire import render

if TYPE_CHECKING:
    from tests.model_server.server import ModelServer


_TAKEN_AT_ONCE = 65_536

# What GET and POST begin with, or nothing yet.
_METHODS = (b"", b"G", b"P")


class Exchange(asyncio.Protocol):
    """Reads requests and sends the frames of their answers, one request at a time."""

    def __init__(self, server: "ModelServer") -> None:
        self._server = server
        self._received = bytearray()
        self._busy = False
        self._sent = False
        self._writable = True
        self._request: Recorded | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._frames: list[bytes] = []
        self._reply = Scripted()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # A reply counts as sent when the kernel has all of it, so any byte left over must be noticed.
        self._transport.set_write_buffer_limits(high=0)
        self._server.connections.add(self)
        self._server.connections_accepted += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._end("client_gone")

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self._sent:
            self._finish()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._busy:
            self._read_request()

    def abort(self) -> None:
        """Drop the connection, because the server stops."""
        self._end("broken")
        self._transport.abort()

    def _read_request(self) -> None:
        if self._received[:1] not in _METHODS:
            # Most likely a TLS handshake; a web server answers that with a 400 in plain text.
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            self._transport.close()
            return
        head, separator, _ = bytes(self._received).partition(b"\r\n\r\n")
        if not separator:
            return
        request_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            taken = _unchunked(self._received, len(head) + 4)
            if taken is None:
                return
            body, end = taken
        else:
            end = len(head) + 4 + int(headers.get("content-length", 0))
            if len(self._received) < end:
                return
            body = bytes(self._received[len(head) + 4 : end])
        del self._received[:end]
        self._busy = True
        method, target, _ = request_line.split(" ", 2)
        self._handle(method, target, headers, body)

    def _handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        server = self._server
        path = urlsplit(target).path
        if not server.accepts(path, headers):
            self._begin(_error(401, "Incorrect API key provided."), {})
        elif method == "GET" and path == "/v1/models":
            self._begin(_json(200, {"object": "list", "data": server.models}), {})
        elif method == "POST" and path in {"/v1/chat/completions", "/v1/embeddings"}:
            request = json.loads(body)
            self._request = server.log.received(target, request, headers)
            self._begin(server.answer(self._request), request)
        elif (found := server.batches.handle(method, target, headers, body)) is not None:
            self._begin(found, {})
        else:
            self._begin(_error(404, f"No such path: {path}"), {})

    def _begin(self, reply: Scripted, request: JsonObject) -> None:
        number = 0 if self._request is None else self._request.number
        self._reply = reply
        at_once = reply.ending == "whole" and not self._pause
        chunks = self._server.chunks or (2 if at_once else 5)
        self._frames = render(reply, request, number, chunks=chunks, at_once=at_once)
        if reply.ending != "whole":
            self._frames = self._frames[: reply.frames]
        self._frames.reverse()
        delay = self._server.delay if reply.delay is None else reply.delay
        if delay and (self._request is not None or reply.delay is not None):
            self._later(delay)
        else:
            self._send()

    @property
    def _pause(self) -> float:
        return self._server.pause if self._reply.pause is None else self._reply.pause

    def _later(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._send)

    def _send(self) -> None:
        if self._request is not None and self._frames:
            self._request.status = self._reply.status
        if self._pause and self._frames:
            data = self._frames.pop()
        else:
            data = b"".join(reversed(self._frames))
            self._frames = []
        if self._frames:
            self._transport.write(data)
            self._later(self._pause)
        elif self._reply.ending != "whole":
            self._transport.write(data)
            self._break_off()
        else:
            self._send_last(data)

    def _send_last(self, data: bytes) -> None:
        # What the kernel takes at once is recorded first: who has read an answer finds it in the log.
        if self._writable and len(data) <= _TAKEN_AT_ONCE:
            self._end("completed")
        self._transport.write(data)
        self._sent = True
        if self._writable:
            self._finish()

    def _break_off(self) -> None:
        if self._reply.ending == "hang":
            return
        self._end("broken")
        if self._reply.ending == "reset":
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        else:
            self._transport.close()

    def _finish(self) -> None:
        self._sent = False
        self._end("completed")
        if self._transport.is_closing():
            return
        self._busy = False
        self._read_request()

    def _end(self, outcome: Outcome) -> None:
        request, self._request = self._request, None
        if request is not None:
            self._server.log.ended(request, outcome)


def _json(status: int, payload: JsonObject) -> Scripted:
    return Scripted(status=status, body=json.dumps(payload).encode())


def _error(status: int, message: str) -> Scripted:
    return _json(status, {"error": {"message": message, "type": None, "param": None, "code": None}})


def _unchunked(received: bytearray, start: int) -> tuple[bytes, int] | None:
    """A body in chunks, and where it ends; None while a part of it is missing."""
    body = b""
    while (line := received.find(b"\r\n", start)) >= 0:
        size = int(received[start:line], 16)
        end = line + 2 + size
        if len(received) < end + 2:
            return None
        if not size:
            return body, end + 2
        body += bytes(received[line + 2 : end])
        start = end + 2
    return None
