"""Writes plain data as YAML that reads back the same here, in YAML 1.1 and in YAML 1.2.

Texts of several lines are literal blocks, Unicode is not escaped, and a text that looks like a number, a bool
or nothing is in quotes.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

import yaml

from spotui.domain.lazy_pattern import LazyPattern
from spotui.templates.yaml.nodes import Plain, value_of

_NO_BLOCK: Final = LazyPattern(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_ESCAPED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def after_colon(value: Plain, column: int, step: int = 2) -> str:
    """What follows `key:` or `-`, from the space or line end on, without a final line end.

    Args:
        value: What to write.
        column: Where the key or dash stands.
        step: How much deeper the lines of a text are indented; other lines are by 2 or 4.
    """
    inner = column + (4 if step == 4 else 2)
    if isinstance(value, dict) and value:
        return "\n" + mapping_lines(value, inner, step)
    if isinstance(value, list) and value:
        return "\n" + "\n".join(list_item(item, inner, step) for item in value)
    if isinstance(value, str) and "\n" in value:
        return " " + (block(value, column + step, step) or quoted(value))
    return " " + _single(value)


def mapping_lines(value: Mapping[str, Plain], column: int, step: int = 2) -> str:
    """The lines of a mapping whose keys stand at `column`."""
    margin = " " * column
    return "\n".join(
        f"{margin}{_single(key)}:{after_colon(each, column, step)}" for key, each in value.items()
    )


def list_item(value: Plain, column: int, step: int = 2, gap: int = 1) -> str:
    """The lines of one item of a list whose dashes stand at `column`, with `gap` spaces after the dash."""
    dash = f"{' ' * column}-"
    if isinstance(value, dict) and value:
        inner = column + 1 + gap
        return f"{dash}{' ' * gap}{mapping_lines(value, inner, step)[inner:]}"
    return dash + after_colon(value, column, step)


def inline(value: Plain, *, as_json: bool = False) -> str:
    """The value on one line, for a place inside brackets or braces; with `as_json`, as a JSON file has it."""
    if isinstance(value, dict):
        pairs = (
            f"{inline(key, as_json=as_json)}: {inline(each, as_json=as_json)}" for key, each in value.items()
        )
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(each, as_json=as_json) for each in value) + "]"
    return quoted(value) if as_json and isinstance(value, str) else _single(value, flow=True)


def _single(value: Plain, *, flow: bool = False) -> str:
    """A single value on one line, or an empty list or mapping."""
    if isinstance(value, str):
        if "\n" in value or _NO_BLOCK.search(value):
            return quoted(value)
        if not isinstance(value_of(value), str):  # YAML 1.1 takes some of YAML 1.2's numbers for texts
            return f"'{value}'"
    written: str = yaml.safe_dump([value], default_flow_style=flow, allow_unicode=True, width=float("inf"))
    return written.rstrip("\n")[1:-1] if flow else written.rstrip("\n")[2:]


def quoted(text: str) -> str:
    """The text in double quotes, readable as JSON too."""
    written = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def block(text: str, column: int, step: int) -> str | None:
    """The text as a literal block, or None when a block cannot hold it exactly.

    Args:
        text: What to write.
        column: Where its lines begin.
        step: How much deeper than its key that is.
    """
    if not text.strip(" \t\n") or text.endswith("\n\n") or _NO_BLOCK.search(text):
        return None
    hint = str(step) if text[0] in " \t\n" else ""
    if hint and step > 9:  # YAML has one digit for it
        return None
    chomp = "" if text.endswith("\n") else "-"
    margin = " " * column
    lines = text.removesuffix("\n").split("\n")
    body = "\n".join(margin + line if line else "" for line in lines)
    return f"|{hint}{chomp}\n{body}"
