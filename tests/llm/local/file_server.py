"""An HTTP server of files in memory, which remembers what it was asked and can break off."""

import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self


def wait_for_size(file: Path, size: int) -> None:
    """Wait until a file that is being written has so many bytes."""
    deadline = time.monotonic() + 60
    while not file.exists() or file.stat().st_size < size:
        assert time.monotonic() < deadline
        time.sleep(0.01)


_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class ServedFile:
    """A file as the server has it.

    Attributes:
        body: What it holds.
        tag: Its version; a range is not served to a client that knows another one.
        headers: Sent besides the usual ones.
        break_after: Bytes after which the connection is dropped, in the first transfer alone.
        stall_after: Bytes after which the first transfer stops until the server is closed.
        moved_to: Where a client is sent instead, or None.
    """

    body: bytes
    tag: str = '"first"'
    headers: dict[str, str] = field(default_factory=dict)
    break_after: int | None = None
    stall_after: int | None = None
    moved_to: str | None = None


class FileServer:
    """Serves files below a random loopback port.

    Attributes:
        files: By path; may be changed while it serves.
        refusals: A status for each path that is refused.
        asked: Path and first byte of every request, in order.
        logins: The Authorization header of every request, in order; empty where there was none.
        stalled: Set once a transfer stands still.
    """

    def __init__(self) -> None:
        self.files: dict[str, ServedFile] = {}
        self.refusals: dict[str, int] = {}
        self.asked: list[tuple[str, int]] = []
        self.logins: list[str] = []
        self.stalled = threading.Event()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """Its root, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler

    def _answer(self, exchange: BaseHTTPRequestHandler) -> None:
        path = exchange.path.partition("?")[0]
        file = self.files.get(path)
        found = _RANGE.fullmatch(exchange.headers.get("Range", ""))
        same = file is not None and exchange.headers.get("If-Range", file.tag) == file.tag
        start = int(found[1]) if found and same else 0
        self.asked.append((path, start))
        self.logins.append(exchange.headers.get("Authorization", ""))
        if file is None or path in self.refusals:
            exchange.send_error(self.refusals.get(path, 404))
            return
        if file.moved_to is not None:
            exchange.send_response(302)
            exchange.send_header("Location", file.moved_to)
            exchange.send_header("Content-Length", "0")
            exchange.end_headers()
            return
        size = len(file.body)
        if start >= size > 0:
            exchange.send_response(416)
            exchange.send_header("Content-Range", f"bytes */{size}")
            exchange.send_header("Content-Length", "0")
            exchange.end_headers()
            return
        exchange.send_response(206 if start else 200)
        if start:
            exchange.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        exchange.send_header("Content-Length", str(size - start))
        exchange.send_header("ETag", file.tag)
        for name, value in file.headers.items():
            exchange.send_header(name, value)
        exchange.end_headers()
        self._send(exchange, file, start)

    def _send(self, exchange: BaseHTTPRequestHandler, file: ServedFile, start: int) -> None:
        broken, file.break_after = file.break_after, None
        stalled, file.stall_after = file.stall_after, None
        end = next((place for place in (broken, stalled) if place is not None), None)
        exchange.wfile.write(file.body[start:end])
        exchange.wfile.flush()
        if stalled is not None:
            self.stalled.set()
            self._closing.wait()
        if end is not None:
            exchange.close_connection = True
