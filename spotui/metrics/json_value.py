"""Compares values written as JSON."""

import json
import re
from typing import Any, Final

from spotui.dataset import Row
from spotui.metrics.mark import Mark, no_reference, shown

_FENCE: Final = re.compile(r"(?:```|~~~)(?:json5?|JSON|[\w-]*(?=\s*\n))?\s*(.*?)\s*(?:```|~~~)", re.DOTALL)
_OPENS: Final = re.compile(r"[{\[]")
_NOTHING: Final = object()


class JsonValue:
    """The answer holds the JSON value of a reference.

    The order of keys, white space, and how a number is written make no difference; the order of a list does.
    The value is the whole answer, or its last fenced block, or the last object or list in it: an object where
    the reference is an object, a list where it is a list.
    """

    def mark(self, answer: str, row: Row) -> Mark:
        """1 when the value is that of any reference, else 0."""
        best = Mark(0.0)
        for expected in map(_parse, row.references):
            found = _find(answer, type(expected))
            if found is _NOTHING:
                continue
            best = Mark(float(_equal(found, expected)), json.dumps(found, ensure_ascii=False))
            if best.value:
                break
        return best

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        wrong = next((one for one in row.references if _parse(one) is _NOTHING), None)
        return no_reference(row) if wrong is None else f"The answer {shown(wrong)} is not JSON."


def _find(answer: str, wanted: type) -> Any:
    for text in (answer, *reversed(_FENCE.findall(answer))):
        if (found := _parse(text.strip())) is not _NOTHING:
            return found
    return _last_container(answer, wanted)


def _last_container(answer: str, wanted: type) -> Any:
    decoder, found, at = json.JSONDecoder(), _NOTHING, 0
    while opening := _OPENS.search(answer, at):
        try:
            value, at = decoder.raw_decode(answer, opening.start())
        except ValueError:
            at = opening.end()
            continue
        except RecursionError:
            return _NOTHING
        if found is _NOTHING or isinstance(value, wanted) or not isinstance(found, wanted):
            found = value
    return found


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOTHING


def _equal(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, and 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
