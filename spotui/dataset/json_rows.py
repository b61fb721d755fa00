"""Reads rows of JSON: one object a line, or a document with one list of objects."""

import json
import re
from collections.abc import Generator, Iterator
from decimal import Decimal
from typing import Final

from spotui.dataset.faults import BadRowError
from spotui.dataset.record import Read, Record

_SPACE: Final = re.compile(r"[ \t\r\n]*")


def read_lines(lines: Iterator[tuple[int, str]]) -> Iterator[Read]:
    """The objects of a JSONL file; empty lines are no rows."""
    for number, line in lines:
        if not line.strip():
            continue
        try:
            yield number, _record(_whole(line, number))
        except BadRowError as bad:
            yield number, bad


def read_document(text: str) -> Iterator[Read]:
    """The rows of a JSON document, decoded one by one: a list, or an object with one list in it.

    Raises:
        BadRowError: It is no such document; rows before the fault have been given.
    """
    start = _skip(text, 0)
    is_list = text.startswith("[", start)
    at = yield from _items(text, start if is_list else _only_list(text, start))
    if is_list and _skip(text, at + 1) < len(text):
        raise BadRowError("Something follows the list of rows.", "", _line(text, _skip(text, at + 1)))


def _items(text: str, start: int) -> Generator[Read, None, int]:
    """The items of a list; the position of its end is what the iterator returns."""
    line, counted = 1, 0
    at = _skip(text, start + 1)
    while not text.startswith("]", at):
        line, counted = line + text.count("\n", counted, at), at
        item, at = _value(text, at)
        try:
            yield line, _record(item)
        except BadRowError as bad:
            yield line, bad
        at = _after_value(text, at, "]")
    return at


def _only_list(text: str, start: int) -> int:
    """Where the only list of an object begins."""
    if not text.startswith("{", start):
        raise BadRowError("The file holds no list of rows.", _SHAPE, _line(text, start))
    lists: list[int] = []
    at = _skip(text, start + 1)
    while not text.startswith("}", at):
        _, at = _value(text, at)
        at = _skip(text, at)
        if not text.startswith(":", at):
            raise BadRowError("This is no JSON: a colon is missing.", "", _line(text, at))
        at = _skip(text, at + 1)
        if text.startswith("[", at):
            lists.append(at)
        _, at = _value(text, at)
        at = _after_value(text, at, "}")
    if (rest := _skip(text, at + 1)) < len(text):
        mend = "If each line is a row of its own, write `format: jsonl`."
        raise BadRowError("Something follows the end of the document.", mend, _line(text, rest))
    if len(lists) != 1:
        what = f"The document holds {len(lists) or 'no'} lists, and it takes one to find the rows."
        raise BadRowError(what, _SHAPE, _line(text, start))
    return lists[0]


def _after_value(text: str, at: int, end: str) -> int:
    """Where the next value begins, or the end of the list or object."""
    at = _skip(text, at)
    if text.startswith(",", at):
        return _skip(text, at + 1)
    if not text.startswith(end, at):
        raise BadRowError(f"This is no JSON: a comma or `{end}` is missing.", "", _line(text, at))
    return at


def _whole(line: str, number: int) -> object:
    found, end = _value(line, _skip(line, 0), number)
    if line[end:].strip():
        raise BadRowError(f"Something follows the object, from column {end + 1} on.")
    return found


def _value(text: str, at: int, line: int | None = None) -> tuple[object, int]:
    """A value and where it ends.

    Args:
        text: The JSON.
        at: Where the value begins.
        line: The line the whole text stands on, or None for a text of several lines.
    """
    try:
        return _decoder.raw_decode(text, at)
    except json.JSONDecodeError as error:
        what = f"This is no JSON: {error.msg} at column {error.colno}."
        raise BadRowError(what, "", line or error.lineno) from None
    except RecursionError:
        raise BadRowError("This is nested too deeply.", "", line or _line(text, at)) from None
    except ValueError as error:
        raise BadRowError(f"This is no JSON: {error}.", "", line or _line(text, at)) from None


def _record(found: object) -> Record:
    if isinstance(found, dict):
        return found
    kind = "a list" if isinstance(found, list) else "a single value"
    mend = 'Write such as {"question": "...", "answer": "..."}.'
    raise BadRowError(f"A row should be an object in braces, but this is {kind}.", mend)


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}")


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


_SHAPE: Final = "Write a list of objects: [{...}, {...}]."
_decoder: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
