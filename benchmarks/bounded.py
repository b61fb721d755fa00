"""Memory of a run while its server sends far more than a reply: `python -m benchmarks.bounded`.

Eight questions are asked at once, and each reply is a flood. The same run against a server that answers is
the idle figure; everything is measured from outside, as the peak of the whole process.
"""

import itertools
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Process, SimpleQueue
from pathlib import Path

from benchmarks.spent import Spent, spend

QUESTIONS = 8
MOST = 2_000_000_000
ALLOWED = 100

_PIECE = 65_536
_TEMPLATE = "prompt: Answer.\nrequirements: Short.\nqa:\n" + "".join(
    f"  - question: Question {number}\n    answer: None\n" for number in range(QUESTIONS)
)
_ANSWER = b'{"choices": [{"message": {"content": "An answer."}, "finish_reason": "stop"}]}'
_CHUNK = b'data: {"choices": [{"index": 0, "delta": {"content": "ab"}}]}\n\n'
_STREAM = {"Content-Type": "text/event-stream"}


def _filled(start: bytes, piece: bytes) -> Iterator[bytes]:
    """A start, and then pieces without end."""
    return itertools.chain([start], itertools.repeat(piece * (_PIECE // len(piece))))


def _bomb(wbits: int) -> Iterator[bytes]:
    """Two gigabytes of one reply, compressed a thousandfold."""
    compressor = zlib.compressobj(9, wbits=wbits)
    yield compressor.compress(b'{"choices": [{"message": {"content": "')
    for _ in range(MOST // 1_000_000):
        yield compressor.compress(b"a" * 1_000_000)
    yield compressor.flush()


FLOODS: dict[str, tuple[Mapping[str, str], Callable[[], Iterator[bytes]]]] = {
    "idle": ({}, lambda: iter([_ANSWER])),
    "a body of 2 GB": ({}, lambda: _filled(b'{"choices": [{"message": {"content": "', b"a")),
    "a stream of text": (_STREAM, lambda: _filled(_CHUNK, _CHUNK)),
    "an endless line": (_STREAM, lambda: _filled(b"data: ", b"a")),
    "an endless line of emoji": (_STREAM, lambda: _filled(b"data: ", "😀".encode())),
    "an event without end": (_STREAM, lambda: _filled(b"", b"data: ab\n")),
    "comments without end": (_STREAM, lambda: _filled(b"", b": waiting\n\n")),
    "empty lists": ({}, lambda: _filled(b'{"choices": [', b"[],")),
    "a gzip bomb": ({"Content-Encoding": "gzip"}, lambda: _bomb(31)),
    "a deflate bomb": ({"Content-Encoding": "deflate"}, lambda: _bomb(15)),
    "a gzip bomb as a stream": ({**_STREAM, "Content-Encoding": "gzip"}, lambda: _bomb(31)),
}


class _Flooding(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        name = list(FLOODS)[int(self.path.split("/")[1])]
        headers, pieces = FLOODS[name]
        self.send_response(200)
        for field, value in headers.items():
            self.send_header(field, value)
        self.send_header("Connection", "close")
        self.end_headers()
        sent = 0
        with suppress(OSError):
            for piece in pieces():
                self.wfile.write(piece)
                sent += len(piece)
                if sent >= MOST:
                    break
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _serve(ports: "SimpleQueue[int]") -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Flooding)
    ports.put(server.server_port)
    server.serve_forever()


def measure(port: int, number: int) -> Spent:
    """Run against one flood.

    Args:
        port: The server's.
        number: Which flood.
    """
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder, "flood.yaml")
        template.write_text(_TEMPLATE)
        places = {f"XDG_{name}_HOME": folder for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        return spend(
            [
                *("run", str(template), "--model", "m", "--base-url", f"http://127.0.0.1:{port}/{number}/v1"),
                *("--max-rounds", "1", "--retry-seconds", "1", "--yes"),
            ],
            environ={**places, "OPENAI_API_KEY": "none"},
            codes={0, 3, 5},
        )


def main() -> None:
    """Print the peak of every flood beside that of an idle run."""
    ports: SimpleQueue[int] = SimpleQueue()
    server = Process(target=_serve, args=(ports,), daemon=True)
    server.start()
    port = ports.get()
    print(f"{QUESTIONS} calls at once, {os.cpu_count()} cores; peak memory of the run in MB")
    idle = 0.0
    try:
        for number, name in enumerate(FLOODS):
            spent = measure(port, number)
            idle = idle or spent.memory
            more = spent.memory - idle
            note = "" if more <= ALLOWED else f"  more than {ALLOWED} MB above idle"
            print(f"{name:26} {spent.memory:7.0f}  {more:+7.0f}  {spent.wall:5.1f} s{note}", flush=True)
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
