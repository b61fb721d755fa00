"""Faults of a YAML text, explained so that a person who does not know YAML can fix them."""

import unicodedata
from collections.abc import Collection, Iterator
from typing import Final

import yaml

from spotui.domain.lazy_pattern import LazyPattern
from spotui.lang import N_, _, join
from spotui.templates.yaml.faults import IN_QUOTES, TOO_DEEP, Fault
from spotui.templates.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_SPACES: Final = "\u00a0\u1680\u180e\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff"
_COLONS: Final = "：﹕︓︰∶ː꞉"
_DASHES: Final = "–—－﹣−‐‑•·▪"
_OPENING: Final = "“”„‟‘’«»「『＂"
_BEGIN: Final = rf"^[ \t{_SPACES}]*(?:-[ \t{_SPACES}]+)?"
_KEY: Final = rf"[\"'{_OPENING}]?(?P<key>[A-Za-z_][A-Za-z_0-9]*)[\"'{_OPENING}」』]?"

_INDENT: Final = LazyPattern(
    rf"^ *(?P<odd>[{_SPACES}])[ \t{_SPACES}]*(?:-\s|[{_DASHES}]|[A-Za-z_]\w*\s*[:{_COLONS}])"
)
_AFTER_DASH: Final = LazyPattern(rf"^ *-(?P<odd>[{_SPACES}])")
_AFTER_COLON: Final = LazyPattern(rf"{_BEGIN}[A-Za-z_]\w*:(?P<odd>[{_SPACES}])")
_DASH: Final = LazyPattern(
    rf"^[ \t{_SPACES}]*(?P<odd>[{_DASHES}])\s*[\"'{{]?[A-Za-z_]\w*[\"']?\s*[:{_COLONS}]"
)
_COLON: Final = LazyPattern(rf"{_BEGIN}{_KEY}[ {_SPACES}]*(?P<odd>[{_COLONS}])")
_QUOTED_KEY: Final = LazyPattern(
    rf"{_BEGIN}(?P<odd>[{_OPENING}])(?P<key>[A-Za-z_]\w*)[{_OPENING}」』]\s*[:{_COLONS}]"
)
_BLOCK: Final = LazyPattern(rf"{_BEGIN}[A-Za-z_]\w*:\s+(?P<odd>[｜＞])\s*$")
_HASH: Final = LazyPattern(r"^\s*(?P<odd>＃)")
_BRACE: Final = LazyPattern(rf"(?:{_BEGIN}[A-Za-z_]\w*:\s+|^\s*-\s+)(?P<odd>[｛［])")
_IN_FLOW: Final = LazyPattern(
    rf"(?:{_BEGIN}[A-Za-z_]\w*:\s+|^\s*-\s+)[{{\[][^\"']*?(?P<odd>[，{_COLONS}、］｝])"
)
_QUOTE: Final = LazyPattern(rf"{_BEGIN}[A-Za-z_]\w*:\s+(?P<odd>[{_OPENING}])[^\n]*:(?:\s|$)")
_NO_SPACE: Final = LazyPattern(rf"{_BEGIN}(?P<key>[A-Za-z_]\w*):(?!//)[^\s:]")
_ANCHOR: Final = LazyPattern(r"&(?P<name>[^\s\[\]{},]+)")
_LOST: Final = LazyPattern(r"[ \t]+(?P<word>#\w\S*)")
_ALIAS: Final = LazyPattern(r"\*(?P<name>[^\s\[\]{},]+)")


def misreading(line: str, number: int, keys: Collection[str] | None = None) -> Fault | None:
    """The first thing in a line that only looks like YAML.

    Args:
        line: The line, outside of quotes and of blocks of text.
        number: Its number.
        keys: The keys that may be meant; None for any word.
    """
    if line.isascii():  # all that looks like YAML and is not is beyond ASCII
        return None
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
            return Fault(
                number,
                _("There is no space after the colon of `{match}`.", match=match["key"]),
                _("Add one."),
            )
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


def swallowed(text: str, root: Node) -> list[Fault]:
    """The words of texts that YAML takes for a comment, as in "question #1"; a comment begins with a blank.

    Args:
        text: What was loaded.
        root: What `load` made of it.
    """
    return _Seen(text, root).swallowed


class _Seen:
    """The lines inside of texts, the anchors that nothing refers to, and words that became comments."""

    def __init__(self, text: str, root: Node) -> None:
        self._text = text
        self._anchors: dict[str, ScalarNode] = {}
        self._used: set[str] = set()
        self.texts: set[int] = set()
        self.swallowed: list[Fault] = []
        if not isinstance(root, ScalarNode):
            self._visit(root)

    def lost_anchors(self) -> Iterator[Fault]:
        """Words that begin with & in front of a text, and are not part of it."""
        for name, node in self._anchors.items():
            if name not in self._used:
                what = _(
                    "`&{name}` is not part of the text: YAML reads it as the name of an anchor.", name=name
                )
                yield Fault(node.line, what, _(IN_QUOTES))

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
            if not node.style and " " in node.text and (lost := _LOST.match(self._text, node.end)):
                what = _(
                    "`{word}` begins a comment here, so it is not part of the text.", word=lost["word"][:40]
                )
                self.swallowed.append(Fault(last, what, _(IN_QUOTES)))
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


_SAME_COLUMN: Final = N_("Begin the keys (or dashes) of one level in the same column, and use spaces only.")


def explain(error: yaml.MarkedYAMLError, text: str) -> Fault:
    """Turn the parser's complaint into a sentence about the line that a person has to change.

    Args:
        error: What PyYAML raised; its C and its Python parser word things differently.
        text: What was parsed.
    """
    problem, context = str(error.problem or ""), str(error.context or "")
    mark = error.problem_mark or error.context_mark
    here = mark.index if mark else 0
    last = text.rstrip().count("\n") + 1  # a complaint about the end of the text is about its last words
    line = min(mark.line + 1, last) if mark else 1
    opened = min(error.context_mark.line + 1, last) if error.context_mark else line
    char = text[here : here + 1]
    lines = text.split("\n")
    above = next((number for number in range(line - 1, 0, -1) if lines[number - 1].strip()), 0)
    if "nesting" not in problem and (found := explained(lines, line, opened, above)):
        return found
    before = text[text.rfind("\n", 0, here) + 1 : here]

    first = next(
        (number for number, one in enumerate(lines, 1) if one.strip(" \ufeff")[:1] not in ("", "#")), 1
    )
    if lines[first - 1].startswith("```"):
        what = _("The file begins with a code fence of Markdown.")
        return Fault(first, what, _("Delete the lines with ```."))
    if "<document start>" in problem and lines[first - 1].startswith(" "):
        return Fault(first, _("The first key is indented, and the others are not."), _(_SAME_COLUMN))
    if "nesting" in problem:  # libyaml refuses a thousand levels while it looks ahead, since PyYAML 6.0.4
        return Fault(opened, _(TOO_DEEP), _(IN_QUOTES))
    if char == "\t" or "tab character" in problem:
        return Fault(line, _("There is a tab where YAML wants spaces."), _("Replace the tab with spaces."))
    if "quoted scalar" in context and "unexpected" in problem:
        hint = _("Close it, or put the text on the lines below a `|`, indented.")
        return Fault(opened, _("The quote that opens on this line is never closed."), hint)
    if "escape" in problem or "quoted scalar" in context:
        hint = _("Double the backslash, or put the text in single quotes.")
        return Fault(
            line,
            _("A backslash inside double quotes comes before a character that YAML does not allow there."),
            hint,
        )
    if "mapping values are not allowed" in problem:
        return _stray_colon(line, before)
    if "could not find expected ':'" in problem:
        hint = _(
            "If it belongs to the text above, indent it like that text; if it is a key, write `key: text`."
        )
        return Fault(opened, _("This line is neither a `key: text` nor part of the text above it."), hint)
    if "cannot start any token" in problem:
        return Fault(line, _("A text cannot begin with {char}.", char=char), _(IN_QUOTES))
    if "alias" in context or "anchor" in context:
        return Fault(opened, _("A text cannot begin with * or &."), _(IN_QUOTES))
    if "sequence entries" in problem:
        hint = _("Put the first dash on the next line, or the text in quotes.")
        return Fault(line, _("A list cannot begin on the line of its key."), hint)
    if "block scalar" in context:
        hint = _("Begin the text on the next line, indented by two spaces, or put it in quotes.")
        return Fault(line, _("Nothing may follow a | or > on its line."), hint)
    if "flow" in context:
        return Fault(opened, _("A [ or { opens a list here that is not closed."), _(IN_QUOTES))
    return _out_of_place(line, before, problem)


def _stray_colon(line: int, before: str) -> Fault:
    if ": " in before:
        return Fault(line, _("There is a second colon in this line, so its text is unclear."), _(IN_QUOTES))
    hint = join(_("Write `key: text` with a space after the colon."), _(_SAME_COLUMN))
    return Fault(line, _("This line does not fit the line above it."), hint)


def _out_of_place(line: int, before: str, problem: str) -> Fault:
    closing = before.rstrip()[-1:]
    if closing in ("'", '"', "]", "}"):
        return Fault(
            line, _("There is more text after the closing {closing}.", closing=closing), _(IN_QUOTES)
        )
    if "expected key" in problem or "'-' indicator" in problem or "block end" in problem:
        return Fault(line, _("This line is indented unlike the lines it belongs to."), _(_SAME_COLUMN))
    hint = _("Compare its quotes, colons and indentation with the lines around it.")
    return Fault(line, _("YAML cannot be read here: {problem}.", problem=problem), hint)
