"""Finds the values of columns, and writes them as texts."""

import json
import math
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, Final

from spotui.lang import _
from spotui.templates.data.json_text import read_cell
from spotui.templates.data.record import BadRowError, Record

MISSING: Final = object()
"""In place of a value where a record has no such column; None is a value."""


def reach(record: Record, column: str) -> Any:
    """The value of a column, or MISSING.

    Args:
        record: The record.
        column: A name, or a path such as `answers.text`: a name leads into an object or into each object of a
            list, a number, counted from 0, to one item of a list, and `*` to all of them.
    """
    if column in record:
        return record[column]
    steps = column.split(".")
    for length in range(len(steps) - 1, 0, -1):  # a name may hold dots itself
        head = ".".join(steps[:length])
        if head in record:
            return _inside(record[head], steps[length:])
    return MISSING


def _inside(value: Any, steps: list[str]) -> Any:
    if not steps:
        return value
    if isinstance(value, str):
        value = read_cell(value) if value.lstrip().startswith(("{", "[")) else None
    if isinstance(value, Mapping):
        return reach(value, ".".join(steps))
    if not isinstance(value, list | tuple):
        return MISSING
    if steps[0] == "*":
        steps = steps[1:]
        if not steps:
            return list(value)
    if steps[0].isdecimal():
        at = int(steps[0])
        return _inside(value[at], steps[1:]) if at < len(value) else MISSING
    parts = [one for one in (_inside(item, steps) for item in value) if one is not MISSING]
    found = [one for part in parts for one in (part if isinstance(part, list) else [part])]
    return found if parts or not value else MISSING


def is_nothing(value: Any) -> bool:
    """Whether a cell is empty: null, a text of blanks at most, or NaN, which pandas writes for it."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def written(value: Any) -> str:
    """A value as the file has it; nothing for an empty one.

    Raises:
        BadRowError: It holds half of a character, as only an escape in JSON can.
    """
    text = _text(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            code = f"\\u{ord(text[error.start]):04x}"
            what = _("There is half of a character ({code}) in the text.", code=code)
            raise BadRowError(what, _("Write the whole character, or delete the escape.")) from None
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str) and is_nothing(value):
        return ""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=_json)
        case date() | time():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return str(value)


def _json(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else _text(value)
