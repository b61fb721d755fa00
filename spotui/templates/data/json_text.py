"""Decodes JSON value by value: only the text of a long document is held, and every value has a line."""

import json
import re
from collections.abc import Generator, Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from spotui.lang import _
from spotui.templates.data.record import BadRowError

_SPACE: Final = re.compile(r"[ \t\r\n]*")


class Member(NamedTuple):
    """A value in a document: where it begins, and what it is."""

    at: int
    value: Any


class JsonText:
    """A JSON text.

    Args:
        text: The text.
        line: The number of its first line.
    """

    def __init__(self, text: str, line: int = 1) -> None:
        self._text = text
        self._first = line

    def skip(self, at: int = 0) -> int:
        """The position of the next character that is not white space."""
        space = _SPACE.match(self._text, at)
        return space.end() if space else at

    def begins(self, at: int, mark: str) -> bool:
        """Whether `mark` is at a position."""
        return self._text.startswith(mark, at)

    def is_end(self, at: int) -> bool:
        """Whether only white space follows."""
        return self.skip(at) == len(self._text)

    def line(self, at: int) -> int:
        """The line of a position."""
        return self._first + self._text.count("\n", 0, at)

    def value(self, at: int) -> tuple[Any, int]:
        """A value and where it ends.

        Raises:
            BadRowError: It is not JSON.
        """
        try:
            return _decoder.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            what = _("This is not JSON: {msg} at column {colno}.", msg=error.msg, colno=error.colno)
            raise BadRowError(what, "", self._first + error.lineno - 1) from None
        except RecursionError:
            raise BadRowError(_("This is nested too deeply."), "", self.line(at)) from None
        except ValueError as error:
            raise BadRowError(_("This cannot be read: {error}.", error=error), "", self.line(at)) from None

    def values(self) -> Iterator[tuple[int, Any]]:
        """All values that follow each other, with their lines."""
        at = self.skip()
        while at < len(self._text):
            value, end = self.value(at)
            yield self.line(at), value
            at = self.skip(end)

    def items(self, at: int) -> Generator[tuple[int, Any], None, int]:
        """The items of the list at a position, with their lines; the end of the list is returned."""
        line, counted = self.line(at), at
        at = self.skip(at + 1)
        while not self.begins(at, "]"):
            line, counted = line + self._text.count("\n", counted, at), at
            item, at = self.value(at)
            yield line, item
            at = self._after(at, "]")
        return at + 1

    def members(self, at: int) -> tuple[dict[str, Member], int]:
        """The members of the object at a position, and where it ends."""
        found: dict[str, Member] = {}
        at = self.skip(at + 1)
        while not self.begins(at, "}"):
            key, at = self.value(at)
            at = self.skip(at)
            if not self.begins(at, ":") or not isinstance(key, str):
                raise BadRowError(_("This is not JSON: a key or its colon is missing."), "", self.line(at))
            at = self.skip(at + 1)
            value, end = self.value(at)
            found[key] = Member(at, value)
            at = self._after(end, "}")
        return found, at + 1

    def _after(self, at: int, end: str) -> int:
        """Where the next value begins, or the end of the list or object."""
        at = self.skip(at)
        if self.begins(at, ","):
            return self.skip(at + 1)
        if not self.begins(at, end):
            raise BadRowError(
                _("This is not JSON: a comma or `{end}` is missing.", end=end), "", self.line(at)
            )
        return at


def read_cell(text: str) -> Any:
    """The value of a cell that holds JSON, or a Python literal as pandas writes it; None for others."""
    import ast

    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError):
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _unused in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(_("the key `{key}` is in an object twice", key=twice[:40]))
    return found


_decoder: Final = json.JSONDecoder(parse_float=Decimal, object_pairs_hook=_object)
