"""The tree that YAML is read into: every value knows its line, its place and how it was written."""

import re
from typing import Final, TypeAlias

import msgspec

Plain: TypeAlias = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None
"""Data without marks."""

BLOCK_HEADER: Final = re.compile(
    r"(?:[&!]\S*[ \t]+)*[|>](?P<chomp>[+-]?)(?P<indent>[1-9]?)(?P<late_chomp>[+-]?)"
)
"""The first line of a text block: an anchor or tag, the style, and how it is indented and ends."""

_NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT: Final = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]{1,300}\.[0-9]*|[0-9]{1,300}(?=[eE]))([eE][-+]?[0-9]+)?")
_NAMED_FLOAT: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def keeps_blank_lines(source: str, start: int = 0) -> bool:
    """Whether the text block that begins at `start` keeps the blank lines below it (`|+`)."""
    header = BLOCK_HEADER.match(source, start)
    return header is not None and "+" in (header["chomp"], header["late_chomp"])


def value_of(text: str) -> Plain:
    """What an unquoted text means by the rules of YAML 1.2, where `on`, `yes` and dates are texts."""
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INT.fullmatch(text):
        return int(text, 0 if text[:2] in ("0x", "0o") else 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _NAMED_FLOAT.fullmatch(text) else text


class Node(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A value and where it stands.

    Attributes:
        line: Counted from 1.
        start: Offset in the text of its first character, its anchor or tag included.
        end: Offset after its last character.
        size: How many values it holds, itself included.
        alias: Whether it is an `*alias`: it is here, its contents are elsewhere.
    """

    line: int
    start: int
    end: int
    size: int = 1
    alias: bool = False

    def data(self) -> Plain:
        """The value as typed plain data."""
        raise NotImplementedError


class ScalarNode(Node, frozen=True, kw_only=True, eq=False):
    """A single value.

    Attributes:
        text: What was written, quotes and escapes resolved, whatever type it looks like.
        style: How it was written: `"`, `'`, `|`, `>`, or empty for plain.
        typed: Whether it may be something else than a text, because it is plain and has no tag.
    """

    text: str
    style: str
    typed: bool

    @property
    def is_null(self) -> bool:
        """Whether it is nothing at all, `null` or `~`."""
        return self.typed and self.text in _NULLS

    def data(self) -> Plain:
        """None, a bool, an int, a float or a text."""
        return value_of(self.text) if self.typed else self.text


class Entry(msgspec.Struct, frozen=True, eq=False):
    """One `key: value` of a mapping."""

    key: ScalarNode
    value: Node


class MappingNode(Node, frozen=True, kw_only=True, eq=False):
    """Keys and values in the order of the text; `flow` when written in braces."""

    entries: dict[str, Entry]
    flow: bool

    def data(self) -> dict[str, Plain]:
        """The keys and values as typed plain data."""
        return {key: entry.value.data() for key, entry in self.entries.items()}


class SequenceNode(Node, frozen=True, kw_only=True, eq=False):
    """Items in the order of the text; `flow` when written in brackets."""

    items: tuple[Node, ...]
    flow: bool

    def data(self) -> list[Plain]:
        """The items as typed plain data."""
        return [item.data() for item in self.items]


def line_of(root: Node, *path: str | int) -> int:
    """The line of the key or item at `path`, or of the nearest thing above it that exists.

    Args:
        root: Where the path begins.
        path: Keys, and positions counted from 0.
    """
    node: Node = root
    line = root.line
    for step in path:
        if isinstance(node, MappingNode) and isinstance(step, str) and step in node.entries:
            entry = node.entries[step]
            node, line = entry.value, entry.key.line
        elif isinstance(node, SequenceNode) and isinstance(step, int) and 0 <= step < len(node.items):
            node = node.items[step]
            line = node.line
        else:
            break
    return line
