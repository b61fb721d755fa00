"""A real pseudo-terminal with a program in it, and what a person would see there."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import pyte
from wcwidth import wcswidth

from tests.fork_server import take_terminal

PATIENCE_SECONDS = 120.0
"""A busy machine must not fail a test; what comes is taken as soon as it comes."""

UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1bP[^\x1b]*\x1b\\")
KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "space": " ",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"},
}


class Pty:
    """Runs a command in a terminal of its own, and counts what it writes there.

    Args:
        command: What to run.
        columns: The width in cells.
        rows: The height in cells.
        environ: Variables on top of this process's own; None takes one away.

    Attributes:
        received: Bytes the program has written so far.
        first_byte_at: When the first of them came, by `time.perf_counter`.
        last_byte_at: When the last of them came.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        environ: Mapping[str, str | None] | None = None,
    ) -> None:
        variables = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environ or {})}
        self.received = 0
        self.first_byte_at = 0.0
        self.last_byte_at = 0.0
        self._changed = threading.Condition()
        self._closed = False
        self._master, slave = pty.openpty()
        self._set_size(columns, rows)
        self.started_at = time.perf_counter()
        self.process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={name: value for name, value in variables.items() if value is not None},
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 - it makes one system call and nothing else
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def descriptor(self) -> int:
        """The terminal's side of it, to ask for its modes."""
        return self._master

    def press(self, *keys: str) -> None:
        """Type keys: names such as `enter` and `ctrl+q`, or text."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def settle(self, quiet: float = 0.35, seconds: float = 10.0) -> None:
        """Wait until nothing has been written for `quiet` seconds."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            with self._changed:
                left = self.last_byte_at + quiet - time.perf_counter()
                if self.last_byte_at and left <= 0:
                    return
                self._changed.wait(timeout=max(0.01, left) if self.last_byte_at else 0.1)

    def wait_exit(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for the end of the program; returns its exit code."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal larger or smaller."""
        self._set_size(columns, rows)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def hang_up(self) -> None:
        """Close the terminal, as a dropped connection does."""
        if not self._closed:
            self._closed = True
            os.close(self._master)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(2.0)
        self.hang_up()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65536):
                now = time.perf_counter()
                with self._changed:
                    self.first_byte_at = self.first_byte_at or now
                    self.last_byte_at = now
                    self.received += len(data)
                    self._feed(data)
                    self._changed.notify_all()

    def _feed(self, data: bytes) -> None:
        """Take what was written; the screen is locked meanwhile."""

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal(Pty):
    """A terminal whose screen can be read, as a person would."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        environ: Mapping[str, str | None] | None = None,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._known: dict[int, str] = {}
        self._rest = b""
        super().__init__(command, columns=columns, rows=rows, environ=environ)

    @property
    def text(self) -> str:
        """The screen as text, without the blanks at the ends of its lines."""
        with self._changed:
            return "\n".join(line.rstrip() for line in self._lines)

    @property
    def _lines(self) -> list[str]:
        """As `display` of pyte, which fails where half of a wide character is painted over."""
        for y in self._screen.dirty:
            cells = [self._screen.buffer[y][x].data for x in range(self._screen.columns)]
            self._known[y] = "".join(
                cell or ("" if wcswidth(last) == 2 else " ")
                for last, cell in zip(["", *cells], cells, strict=False)
            )
        self._screen.dirty.clear()
        return [self._known[y] for y in range(self._screen.lines)]

    def wait_for(self, *texts: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait until every text is on the screen; returns the screen."""
        with self._changed:
            found = self._changed.wait_for(lambda: self._shows(texts), timeout=seconds)
        assert found, f"{texts} did not appear within {seconds} s; the screen is:\n{self.text}"
        return self.text

    def _shows(self, texts: Sequence[str]) -> bool:
        lines = "\n".join(self._lines)
        return all(one in lines for one in texts)

    def wait_gone(self, text: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait until a text is no longer on the screen; returns the screen."""
        with self._changed:
            gone = self._changed.wait_for(lambda: not self._shows([text]), timeout=seconds)
        assert gone, f"{text} is still there after {seconds} s; the screen is:\n{self.text}"
        return self.text

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal larger or smaller."""
        with self._changed:
            self._screen.resize(rows, columns)
        super().resize(columns, rows)

    def _feed(self, data: bytes) -> None:
        data = self._rest + data
        # A sequence that is cut by the end of this read waits for the next.
        cut = data.rfind(b"\x1b", max(0, len(data) - 24))
        self._rest = data[cut:] if cut >= 0 and not data[cut:].rstrip(b"0123456789;?<>=[$P\x1b") else b""
        self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", data[: len(data) - len(self._rest)]))
