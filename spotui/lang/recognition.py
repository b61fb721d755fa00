"""Finds the sentence behind an English text that was stored without its code and values.

Files hold English, whatever language they were written in. A text of a journal is compared with the sentences
of the catalogue; it is taken for one only if that sentence, with the values found, is the text again.
"""

import re
from functools import lru_cache
from string import Formatter
from typing import Any, Final, NamedTuple

from spotui import lang
from spotui.lang import Message, Sentence
from spotui.lang.catalogue import Catalogue

_FEWEST_LETTERS: Final = 4
"""Letters outside of slots by which a sentence is known."""

_DEPTH: Final = 2
"""Sentences in values of sentences."""

_LONGEST: Final = 2000
_END: Final = re.compile(r"(?<=[.?!]) +")
_NUMBER: Final = re.compile(r"[+-]?[\d,]*\d(?:\.\d+)?%?")


class _Pattern(NamedTuple):
    """A sentence of the catalogue, and how its text can be known.

    Attributes:
        letters: How many characters it has outside of slots.
        begin: What its text begins with.
        end: What it ends with.
        expression: What its text matches, with a group for each slot.
        formats: The format of each slot.
        code: The English sentence, the one for 1 where it depends on a number.
        plural: The one for other numbers; empty where it does not.
    """

    letters: int
    begin: str
    end: str
    expression: str
    formats: dict[str, str]
    code: str
    plural: str


def recognized(text: str) -> str:
    """A stored English text in the language of this process.

    Args:
        text: One sentence of the catalogue or several, with values.

    Returns:
        A `Sentence`; the text itself in English, and where any part of it is not of the catalogue.
    """
    catalogue = lang.current_catalogue()
    if catalogue is None or isinstance(text, Sentence) or not 0 < len(text) <= _LONGEST:
        return text
    messages = _messages(text, catalogue)
    return Sentence.of(messages) if messages else text


def _messages(text: str, catalogue: Catalogue) -> tuple[Message, ...]:
    whole = _message(text, catalogue, 0)
    if whole is not None and not _unknown(whole):
        return (whole,)
    parts = _END.split(text)
    for count in range(len(parts) - 1, 0, -1):
        first = _message(" ".join(parts[:count]), catalogue, 0)
        if first is not None and (rest := _messages(" ".join(parts[count:]), catalogue)):
            several = (first, *rest)
            if whole is None or sum(map(_unknown, several)) < _unknown(whole):
                return several
    return () if whole is None else (whole,)


def _unknown(message: Message) -> int:
    """How many characters of its values are of no sentence."""
    return sum(len(value) for value in (message.values or {}).values() if type(value) is str)


def _message(text: str, catalogue: Catalogue, depth: int) -> Message | None:
    for pattern in _patterns(catalogue):
        if not (text.startswith(pattern.begin) and text.endswith(pattern.end)):
            continue
        found = re.fullmatch(pattern.expression, text, re.DOTALL)
        if found is None:
            continue
        values = {
            name: _value(found[name], written, catalogue, depth) for name, written in pattern.formats.items()
        }
        number = values.get("n")
        if pattern.plural and not isinstance(number, int):
            continue
        message = Message(
            pattern.code, values or None, pattern.plural, number if isinstance(number, int) else 0
        )
        try:
            if message.english == text:
                return message
        except (LookupError, ValueError, TypeError):
            continue
    return None


def _value(text: str, written: str, catalogue: Catalogue, depth: int) -> Any:
    """A value as its slot was given it: a number where its text is one, a sentence where it is one."""
    if _NUMBER.fullmatch(text):
        plain = text.replace(",", "").removesuffix("%")
        if text.endswith("%") and written.endswith("%"):
            return float(plain) / 100
        if not text.endswith("%"):
            return float(plain) if "." in plain else int(plain)
    if depth < _DEPTH and (inner := _message(text, catalogue, depth + 1)) is not None:
        return Sentence.of((inner,))
    return text


@lru_cache(maxsize=2)
def _patterns(catalogue: Catalogue) -> tuple[_Pattern, ...]:
    """Every sentence that can be known by its letters, the one with most of them first."""
    found = []
    for code, plural in catalogue.codes():
        for english in dict.fromkeys(filter(None, (code, plural))):
            try:
                pattern = _pattern(english, code, plural)
            except ValueError:
                continue
            if pattern.letters >= _FEWEST_LETTERS:
                found.append(pattern)
    return tuple(sorted(found, key=lambda one: -one.letters))


def _pattern(english: str, code: str, plural: str) -> _Pattern:
    expression, begin, end, letters = "", "", "", 0
    formats: dict[str, str] = {}
    for literal, name, written, conversion in Formatter().parse(english):
        if not formats:
            begin = literal
        end = literal if name is None else ""
        letters += sum(map(str.isalpha, literal))
        expression += re.escape(literal)
        if name is None:
            continue
        if conversion or not name.isidentifier():
            raise ValueError(english)
        expression += f"(?P={name})" if name in formats else f"(?P<{name}>.+?)"
        formats[name] = written or ""
    return _Pattern(letters, begin, end, expression, formats, code, plural)
