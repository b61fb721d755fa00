"""Finds what only looks like YAML: full-width colons, other dashes and spaces, anchors in place of text.

A parser takes these for text, and complains of another line, or of nothing.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Final

from spotui.marked_yaml.faults import IN_QUOTES, Fault
from spotui.marked_yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_SPACES: Final = "\u00a0\u1680\u180e\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff"
_COLONS: Final = "：﹕︓︰∶ː꞉"
_DASHES: Final = "–—－﹣−‐‑•·▪"
_OPENING: Final = "“”„‟‘’«»「『＂"
_BEGIN: Final = rf"^[ \t{_SPACES}]*(?:-[ \t{_SPACES}]+)?"
_KEY: Final = rf"[\"'{_OPENING}]?(?P<key>[A-Za-z_][A-Za-z_0-9]*)[\"'{_OPENING}」』]?"

_INDENT: Final = re.compile(
    rf"^ *(?P<odd>[{_SPACES}])[ \t{_SPACES}]*(?:-\s|[{_DASHES}]|[A-Za-z_]\w*\s*[:{_COLONS}])"
)
_AFTER_DASH: Final = re.compile(rf"^ *-(?P<odd>[{_SPACES}])")
_AFTER_COLON: Final = re.compile(rf"{_BEGIN}[A-Za-z_]\w*:(?P<odd>[{_SPACES}])")
_DASH: Final = re.compile(
    rf"^[ \t{_SPACES}]*(?P<odd>[{_DASHES}])\s*[\"'{{]?[A-Za-z_]\w*[\"']?\s*[:{_COLONS}]"
)
_COLON: Final = re.compile(rf"{_BEGIN}{_KEY}[ {_SPACES}]*(?P<odd>[{_COLONS}])")
_QUOTED_KEY: Final = re.compile(
    rf"{_BEGIN}(?P<odd>[{_OPENING}])(?P<key>[A-Za-z_]\w*)[{_OPENING}」』]\s*[:{_COLONS}]"
)
_BLOCK: Final = re.compile(rf"{_BEGIN}[A-Za-z_]\w*:\s+(?P<odd>[｜＞])\s*$")
_HASH: Final = re.compile(r"^\s*(?P<odd>＃)")
_BRACE: Final = re.compile(rf"(?:{_BEGIN}[A-Za-z_]\w*:\s+|^\s*-\s+)(?P<odd>[｛［])")
_IN_FLOW: Final = re.compile(
    rf"(?:{_BEGIN}[A-Za-z_]\w*:\s+|^\s*-\s+)[{{\[][^\"']*?(?P<odd>[，{_COLONS}、］｝])"
)
_QUOTE: Final = re.compile(rf"{_BEGIN}[A-Za-z_]\w*:\s+(?P<odd>[{_OPENING}])[^\n]*:(?:\s|$)")
_NO_SPACE: Final = re.compile(rf"{_BEGIN}(?P<key>[A-Za-z_]\w*):(?!//)[^\s:]")
_ANCHOR: Final = re.compile(r"&(?P<name>[^\s\[\]{},]+)")
_ALIAS: Final = re.compile(r"\*(?P<name>[^\s\[\]{},]+)")


def misreading(line: str, number: int, keys: Collection[str] | None = None) -> Fault | None:
    """The first thing in a line that only looks like YAML.

    Args:
        line: The line, outside of quotes and of blocks of text.
        number: Its number.
        keys: The keys that may be meant; None for any word.
    """
    for pattern, what, hint in _PATTERNS:
        found = pattern.search(line)
        if found and (keys is None or found.groupdict().get("key") in (None, *keys)):
            odd = found["odd"]
            return Fault(number, what.format(_name(odd)), hint.format(found.groupdict().get("key")))
    return None


def explained(lines: list[str], line: int, opened: int, above: int) -> Fault | None:
    """The reason of a parser's complaint, if it is a character that only looks like YAML.

    Args:
        lines: The text.
        line: Where the parser stopped, from 1.
        opened: Where what it was reading began.
        above: The last line above that is not blank; 0 for none.
    """
    for number in (line, opened):
        for pattern, what, hint in _INLINE:
            if match := pattern.search(lines[number - 1]):
                return Fault(number, what.format(_name(match["odd"])), hint)
    for number in (line, opened, above):
        if number and (found := misreading(lines[number - 1], number)):
            return found
    for number in (line, opened, above):
        if number and (match := _NO_SPACE.search(lines[number - 1])):
            return Fault(number, f"There is no space after the colon of `{match['key']}`.", "Add one.")
    return None


def misreadings(text: str, root: Node, keys: Collection[str]) -> list[Fault]:
    """Everything in a text that is valid YAML and surely means something else.

    Args:
        text: What was loaded.
        root: What `load` made of it.
        keys: The keys that may be meant.
    """
    seen = _Seen(text, root)
    faults = [
        found
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1)
        if number not in seen.texts and (found := misreading(line, number, keys))
    ]
    return sorted({fault.line: fault for fault in (*seen.lost_anchors(), *faults)}.values())


class _Seen:
    """The lines inside of texts, and the anchors that nothing refers to."""

    def __init__(self, text: str, root: Node) -> None:
        self._text = text
        self._anchors: dict[str, ScalarNode] = {}
        self._used: set[str] = set()
        self.texts: set[int] = set()
        if not isinstance(root, ScalarNode):
            self._visit(root)

    def lost_anchors(self) -> Iterator[Fault]:
        """Words that begin with & in front of a text, and are not part of it."""
        for name, node in self._anchors.items():
            if name not in self._used:
                what = f"`&{name}` is not part of the text: YAML reads it as the name of an anchor."
                yield Fault(node.line, what, IN_QUOTES)

    def _visit(self, node: Node) -> None:
        if node.alias:
            if found := _ALIAS.match(self._text, node.start):
                self._used.add(found["name"])
        elif isinstance(node, MappingNode):
            for entry in node.entries.values():
                self._visit(entry.key)
                self._visit(entry.value)
        elif isinstance(node, SequenceNode):
            for item in node.items:
                self._visit(item)
        elif isinstance(node, ScalarNode):
            last = node.line + self._text.count("\n", node.start, node.end - 1)
            self.texts.update(range(node.line + 1, last + 1))
            if not node.style and (found := _ANCHOR.match(self._text, node.start)):
                self._anchors[found["name"]] = node


def _name(char: str) -> str:
    name = unicodedata.name(char, "").lower().replace("fullwidth", "full-width")
    shown = char if char.isprintable() and not char.isspace() else f"U+{ord(char):04X}"
    article = "an" if name.startswith(("a", "e", "i", "o")) else "a"
    return f"{article} {name} ({shown})" if name else shown


_SPACE_HINT: Final = "Replace it with ordinary spaces."
_PATTERNS: Final = (
    (_INDENT, "The line begins with {}, which only looks like a space.", _SPACE_HINT),
    (_AFTER_DASH, "After the dash is {}, which only looks like a space.", _SPACE_HINT),
    (_AFTER_COLON, "After the colon is {}, which only looks like a space.", _SPACE_HINT),
    (
        _DASH,
        "The line begins with {}, which is not a dash for YAML.",
        "Write a hyphen and a space, `- `.",
    ),
    (_COLON, "There is {}, which is not a colon for YAML.", "Write `{}: `, with a plain colon and a space."),
    (_QUOTED_KEY, "The key begins with {}, which is not a quote for YAML.", "Write `{}` without quotes."),
    (_BLOCK, "There is {}, which begins no text block for YAML.", "Write a plain | or >."),
    (_HASH, "There is {}, which begins no comment for YAML.", "Write a plain #."),
)
_INLINE: Final = (
    (
        _BRACE,
        "There is {}, which is not a bracket for YAML.",
        "Write a plain one, or use quotes.",
    ),
    (
        _IN_FLOW,
        "There is {} between brackets, which is text for YAML.",
        "Write a plain one, or use quotes.",
    ),
    (_QUOTE, "The text begins with {}, which is not a quote for YAML.", "Use plain quotes, \" or '."),
)
"""Marks that are text in most places, so that only a complaint of the parser makes them a fault."""
