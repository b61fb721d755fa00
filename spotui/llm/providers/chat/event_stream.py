"""Server-sent events, from bytes that come in any pieces.

By hand, after the WHATWG's specification: the decoders on PyPI come with their client, which they
import (httpx-sse) or pull from until it blocks (sseclient-py). Model servers break the specification in a few
ways that leave no doubt about what they mean. These are read, too:

- events that end with one newline, where the data so far is whole and more data begins;
- a last event without a blank line, or without any line end;
- `error: {...}`, and a line that is a JSON object without `data:` in front;
- `Data:` and other spellings of that field in front of an object, and several objects in one line.
"""

import json
from typing import Final, NamedTuple

import msgspec

# Four times as fast as Python's own, but strict.
_STRICT = msgspec.json.Decoder()
_DECODER = json.JSONDecoder(strict=False)
# Python refuses integers of more than 4,300 digits; such a number counts as infinite.
_OF_ANY_SIZE = json.JSONDecoder(strict=False, parse_int=float)


def decode_json(text: str) -> object:
    """The value that a text holds; None when it is not JSON, or nested too deep to be read."""
    try:
        return _STRICT.decode(text)
    except (ValueError, RecursionError):
        pass
    for decoder in (_DECODER, _OF_ANY_SIZE):
        try:
            return decoder.decode(text)
        except RecursionError:
            return None
        except ValueError as error:
            if isinstance(error, json.JSONDecodeError):
                return None
    return None


DONE: Final = "[DONE]"


def decode_several(text: str) -> list[object] | None:
    """The values that a text holds one after the other, as where events are not separated at all.

    Returns:
        None when there are less than two, or anything else stands between them.
    """
    values: list[object] = []
    rest = text
    while rest:
        if rest == DONE:
            break
        try:
            value, end = _DECODER.raw_decode(rest)
        except (ValueError, RecursionError):
            return None
        values.append(value)
        rest = rest[end:].lstrip().removeprefix("data:").lstrip()
    return values if len(values) > 1 or rest else None


# What a short text takes beside its characters.
_LINE_SIZE: Final = 64

_INDENT: Final = " \t\x1e"  # the last stands in front of each value of a JSON text sequence
_OBJECT_STARTS: Final = ("{", *_INDENT)
_PAYLOADS: Final = ("{", DONE)

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class ServerEvent(NamedTuple):
    """An event; its id and delay, which only matter for reconnecting, are left out.

    Attributes:
        name: Its type, or empty.
        data: Its data lines, joined.
    """

    name: str
    data: str


class EventStream:
    """Reads one event stream, as `Interpreting an event stream` in the HTML standard (9.2.6) has it."""

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._line_size = self._data_size = 0
        self._is_first_line = True
        self._after_return = False
        self._name = ""
        self._next_name: str | None = None
        self._data: list[str] = []
        self._is_of_lines = False

    @property
    def pending(self) -> int:
        """Memory held back, about, because neither its line nor its event has ended."""
        return self._line_size + self._data_size

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The events that end in this piece."""
        if not piece:
            return []
        if self._after_return:
            piece = piece.removeprefix(b"\n")
        self._after_return = piece.endswith(b"\r")
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        # A line break is never part of another character, so lines can be cut before they are decoded.
        ended, line_break, rest = piece.rpartition(b"\n")
        events: list[ServerEvent] = []
        if line_break:
            lines = b"".join((*self._line, ended))
            self._line, self._line_size = [], 0
            if self._is_first_line:
                self._is_first_line = False
                lines = lines.removeprefix(_BYTE_ORDER_MARK)
            for line in lines.decode("utf-8", "replace").split("\n"):
                # Nearly all lines are one of these two, and others wait while a long reply is read.
                if not line:
                    event = self._end_event() if self._data or self._name or self._next_name else None
                elif line.startswith("data: ") and not self._data:
                    event = self._add("data", line[6:])
                else:
                    event = self._take(line)
                if event is not None:
                    events.append(event)
        if rest:
            self._line.append(rest)
            self._line_size += len(rest)
        return events

    def close(self) -> list[ServerEvent]:
        """The events that only the end of the body ends; one that was cut off is none."""
        events = self.feed(b"\n") if self._line else []
        if self._data and (self._is_whole() or decode_several("\n".join(self._data)) is not None):
            events.append(self._dispatch())
        return events

    def _take(self, line: str) -> ServerEvent | None:
        field, _, value = line.partition(":")
        if line.startswith(_OBJECT_STARTS) and line.lstrip(_INDENT).startswith("{"):
            field, value = "data", line.lstrip(_INDENT)
        elif value.lstrip().startswith(_PAYLOADS):
            field = field.strip().lower()
        value = value.removeprefix(" ")
        if field == "event":
            # Behind data it belongs to the next event where a single newline ends events.
            if self._data:
                self._next_name = value
            else:
                self._name = value
        elif field in ("data", "error"):
            return self._add(field, value)
        return None

    def _add(self, field: str, value: str) -> ServerEvent | None:
        ended = self._dispatch() if self._data and self._is_whole(before=value) else None
        self._data.append(value)
        self._data_size += len(value) + _LINE_SIZE
        if field == "error":
            self._name = "error"
        return ended

    def _end_event(self) -> ServerEvent | None:
        if self._next_name is not None:
            self._name, self._next_name = self._next_name, None
        if self._data:
            return self._dispatch()
        self._name = ""
        return None

    def _dispatch(self) -> ServerEvent:
        event = ServerEvent(self._name, "\n".join(self._data))
        self._name, self._next_name = self._next_name or "", None
        self._data, self._data_size, self._is_of_lines = [], 0, False
        return event

    def _is_whole(self, before: str | None = None) -> bool:
        """Whether the data so far makes an event, although no blank line has ended it.

        Args:
            before: The data line that follows, or None at the end of the body.
        """
        begins_object = self._data[0].lstrip().startswith("{")
        if not begins_object:
            return before is None or before.lstrip().startswith("{")
        if not self._data[-1].rstrip().endswith("}"):
            return False
        # An object that is written over many lines must not be decoded at each of them.
        if before is not None and (self._is_of_lines or before.lstrip()[:1] in (",", "]", "}")):
            return False
        is_whole = decode_json("\n".join(self._data)) is not None
        self._is_of_lines = not is_whole
        return is_whole
