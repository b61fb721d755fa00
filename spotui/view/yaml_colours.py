"""What each part of a YAML line is, for colouring a template while it is typed.

Lines are read one by one, so that a text that is broken somewhere keeps its colours everywhere else.
"""

import re
from typing import Final, Literal, NamedTuple

Kind = Literal["key", "mark", "quoted", "constant", "comment"]

NO_BLOCK: Final = -1
"""No text block is open."""

_DASHES: Final = re.compile(r"(?:-\s+|-$)+")
_KEY: Final = re.compile(
    r"""(?P<key>"[^"]*"|'[^']*'|[^\s#&*!|>'"%@`{\[,-][^:#]*?|-[^\s:#][^:#]*?)\s*(?P<colon>:)(?=\s|$)"""
)
_BLOCK: Final = re.compile(r"[|>][1-9+-]{0,2}(?=\s*(?:#|$))")
_QUOTED: Final = re.compile(r""""(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?""")
_CONSTANT: Final = re.compile(r"(?:None|null|~|true|false|[-+]?[0-9][0-9_.]*)(?=\s*(?:#|$))", re.IGNORECASE)
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*")


class Part(NamedTuple):
    """A stretch of a line: where it begins and ends, in characters, and what it is."""

    start: int
    end: int
    kind: Kind


def read_line(line: str, block: int) -> tuple[list[Part], int]:
    """The parts of a line that are more than plain text.

    Args:
        line: One line, without its end.
        block: The indentation of what a text block above belongs to, or `NO_BLOCK`.

    Returns:
        The parts from left to right, and `block` for the next line.
    """
    indent = len(line) - len(line.lstrip(" "))
    if block != NO_BLOCK:
        if indent > block or not line.strip():
            return [], block
        block = NO_BLOCK
    parts: list[Part] = []
    place = indent
    owner = indent
    if dashes := _DASHES.match(line, place):
        parts.append(Part(place, len(dashes[0].rstrip()) + place, "mark"))
        owner = line.rindex("-", 0, dashes.end())
        place = dashes.end()
    if key := _KEY.match(line, place):
        parts += [Part(*key.span("key"), "key"), Part(*key.span("colon"), "mark")]
        owner = key.start("key")
        place = key.end()
    place += len(line[place:]) - len(line[place:].lstrip())
    if mark := _BLOCK.match(line, place):
        parts.append(Part(*mark.span(), "mark"))
        block = owner
        place = mark.end()
    elif (value := _QUOTED.match(line, place)) is not None:
        parts.append(Part(*value.span(), "quoted"))
        place = value.end()
    elif constant := _CONSTANT.match(line, place):
        parts.append(Part(*constant.span(), "constant"))
        place = constant.end()
    if comment := _COMMENT.search(line, place):
        parts.append(Part(*comment.span(), "comment"))
    return parts, block


def indent_below(line: str, column: int) -> str:
    """The spaces that a line begins with which is made by a line break.

    Args:
        line: The line that is broken.
        column: Where it is broken, in characters.
    """
    before = line[:column]
    indent = len(before) - len(before.lstrip(" "))
    dashes = _DASHES.match(before, indent)
    inner = dashes.end() if dashes and before[dashes.end() :] else indent
    ends_open = before.rstrip().endswith(":") or re.search(r":\s+[|>][1-9+-]{0,2}$", before.rstrip())
    return " " * (inner + 2 if ends_open and before.strip() else inner)
