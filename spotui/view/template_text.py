"""The text of a template on the screen: the colours of its YAML and how long its texts are."""

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from spotui.domain.figures import count
from spotui.domain.text import count_words, estimate_tokens
from spotui.lang import _, ngettext
from spotui.templates.data.source import read_source
from spotui.templates.model import Template


class Sizes:
    """Words and tokens of texts; tokens that nobody counted are estimated, and marked with a tilde.

    Args:
        counted: The tokens of texts for which a tokenizer was asked.
    """

    def __init__(self, counted: Mapping[str, int] | None = None) -> None:
        self._counted = dict(counted or {})

    def tokens(self, text: str) -> str:
        """The tokens of a text, such as `12 tokens` or `~12 tokens`."""
        known = self._counted.get(text)
        if known is not None:
            return ngettext("{n:,} token", "{n:,} tokens", known)
        return ngettext("~{n:,} token", "~{n:,} tokens", estimate_tokens(text))

    def say(self, text: str, most: int | None = None) -> str:
        """The size of a text; nothing for an empty one.

        Args:
            text: Any text.
            most: The most words it may have, if there is such a limit.
        """
        if not text:
            return ""
        words = count_words(text)
        said = ngettext("{n:,} word", "{n:,} words", words)
        if most:
            said = ngettext("{words} of {n:,} word", "{words} of {n:,} words", most, words=words)
        return f"{said}, {self.tokens(text)}"

    def of_template(self, template: Template) -> str:
        """The size of a whole template: its prompt, and its questions; of files, only which they are."""
        texts = [template.prompt, template.requirements]
        texts += [text for row in template.qa for text in (row.question, row.answer)]
        counted = [self._counted.get(text) for text in texts if text]
        known = [one for one in counted if one is not None]
        total = sum(self._counted.get(text, estimate_tokens(text)) for text in texts if text)
        mark = "" if len(known) == len(counted) else "~"
        return _("{material}, {tokens} tokens", material=_material(template), tokens=f"{mark}{count(total)}")


def _material(template: Template) -> str:
    parts = []
    if template.qa or template.data is None:
        parts.append(ngettext("{n:,} question", "{n:,} questions", len(template.qa)))
    if template.data is not None:
        source, _problems = read_source(template.data, has_questions=bool(template.qa))
        parts.append(_("rows of {files}", files=", ".join(source.paths or (_("a file"),))))
    return ", ".join(parts)


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
