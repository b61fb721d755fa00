"""Server-sent events, from bytes that come in any pieces.

By hand, after the WHATWG's specification: the decoders on PyPI come with a client of their own, which they
import (httpx-sse) or pull from until it blocks (sseclient-py).
"""

from codecs import getincrementaldecoder
from typing import NamedTuple


class ServerEvent(NamedTuple):
    """An event; what is only for reconnecting, its id and delay, is left out.

    Attributes:
        name: Its type, or empty.
        data: Its data lines, joined.
    """

    name: str
    data: str


class EventStream:
    """Reads one event stream, as `Interpreting an event stream` in the HTML standard (9.2.6) has it."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8-sig")("replace")
        self._line: list[str] = []
        self._after_return = False
        self._name = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The events that end in this piece; one that never ends is none."""
        text = self._decoder.decode(piece)
        if not text:
            return []
        if self._after_return:
            text = text.removeprefix("\n")
        self._after_return = text.endswith("\r")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        *ended, rest = text.split("\n")
        if ended:
            ended[0] = "".join((*self._line, ended[0]))
            self._line = []
        if rest:
            self._line.append(rest)
        return [event for line in ended if (event := self._take(line)) is not None]

    def _take(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        return None

    def _dispatch(self) -> ServerEvent | None:
        event = ServerEvent(self._name, "\n".join(self._data)) if self._data else None
        self._name, self._data = "", []
        return event
