"""Standard output for as long as somebody reads it."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TextIO, cast

from spotui.domain.text import visible


class _Guarded:
    """A terminal that is written to with marks in place of hidden characters.

    Args:
        stream: The terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text with its hidden characters as marks."""
        self.stream.write(visible(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


class _Plain(_Guarded):
    """A terminal that gets what a pipe gets: lines, without colours, and nothing is repainted."""

    def isatty(self) -> bool:
        """No: whoever asks wants to paint."""
        return False


@contextmanager
def guarded(*, plain: bool = False) -> Iterator[None]:
    """Guard standard output and standard error, each where it is a terminal.

    Args:
        plain: Whether they get what a pipe gets.
    """
    kind = _Plain if plain else _Guarded
    names = [name for name in ("stdout", "stderr") if _is_terminal(getattr(sys, name))]
    guards = {name: kind(getattr(sys, name)) for name in names}
    for name, guard in guards.items():
        setattr(sys, name, guard)
    try:
        yield
    finally:
        for name, guard in guards.items():
            if getattr(sys, name) is guard:
                setattr(sys, name, guard.stream)


def behind(stream: TextIO) -> TextIO:
    """The stream itself, for what paints with terminal commands and keeps those of others out."""
    return stream.stream if isinstance(stream, _Guarded) else stream


def paint(text: str, stream: TextIO) -> None:
    """Write our own text with commands, such as the way back to the beginning of the line."""
    way = behind(stream)
    way.write(text)
    way.flush()


class Lasting:
    """A terminal that may go away while it is painted: what is painted then is lost, and stops nobody.

    Args:
        stream: The terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text."""
        with _losing(self.stream):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what has been kept back."""
        with _losing(self.stream):
            self.stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


def lose(stream: TextIO) -> None:
    """Let a stream whose other side has gone lead nowhere.

    What is in its buffer would otherwise fail once more at every later write, and at the end of the process.
    """
    with suppress(OSError, ValueError):  # it has no file behind it
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


@contextmanager
def _losing(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except OSError:
        lose(stream)


def shown(data: bytes) -> bytes:
    """What standard output gets of a line of bytes: a terminal gets its hidden characters as marks."""
    if not _is_terminal(sys.stdout):
        return data
    return visible(data.decode("utf-8", "replace")).encode("utf-8", "replace")


def _is_terminal(stream: object) -> bool:
    return stream is not None and behind(cast("TextIO", stream)).isatty()


_CHUNK: Final = 1 << 16


class Output:
    """Writes lines, and falls silent once the reader or the terminal has gone: a run outlives both."""

    def __init__(self) -> None:
        self.open = True
        self._waiting = bytearray()  # our own, as PYTHONUNBUFFERED takes that of the stream away

    def write(self, data: bytes) -> None:
        """Write and flush."""
        self.add(data)
        self.flush()

    def add(self, data: bytes) -> None:
        """Write what may wait for the next flush: thousands of lines at once take one, not thousands."""
        if self.open:
            self._waiting += shown(data)
            if len(self._waiting) >= _CHUNK:
                self.flush()

    def flush(self) -> None:
        """Let the reader see what was added."""
        data, self._waiting = self._waiting, bytearray()
        if self.open:
            try:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            except OSError:
                self.close()

    def line(self, text: str) -> None:
        """Write a line of text."""
        self.write(text.encode("utf-8", "replace") + b"\n")

    def close(self) -> None:
        """Write nothing any more."""
        self.open = False
        lose(sys.stdout)
