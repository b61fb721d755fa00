"""Writes values of data files as texts."""

import json
import math
from datetime import date, time
from decimal import Decimal
from typing import Any

from spotui.dataset.faults import BadRowError


def is_nothing(value: Any) -> bool:
    """Whether a cell is empty: null, an empty text, or NaN, which pandas writes for it."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


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
            what = f"There is half of a character ({code}) in the text."
            raise BadRowError(what, "Write the whole character, or delete the escape.") from None
    return text


def _text(value: Any) -> str:
    if is_nothing(value):
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
