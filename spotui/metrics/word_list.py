"""Compares lists of words."""

import re
from collections import Counter
from typing import Final

from spotui.dataset import Row
from spotui.metrics.mark import Mark, no_reference
from spotui.metrics.texts import tokens

_MARKER: Final = re.compile(r"^[ \t]*(?:[-*•–][ \t]+|\d+[.)][ \t]+)", re.MULTILINE)
_BREAK: Final = re.compile(r"\n(?:[ \t]*\n)+|(?<=[.!?;])\s+|[:：]")
_LINE: Final = re.compile(r"\n+")
_LEADS: Final = frozenset({"is", "are"})
_JOINS: Final = frozenset({"and", "then", "->", "→", ">"})


class WordList:
    """The answer lists the words of a reference, all of them and no other.

    The list is the last part of the answer, between colons, sentence ends and empty lines, in which at least
    half of the words are of the reference: remarks around it make no difference.

    Args:
        ordered: Whether the order counts.
    """

    def __init__(self, *, ordered: bool = True) -> None:
        self._ordered = ordered

    def mark(self, answer: str, row: Row) -> Mark:
        """1 when the list is that of any reference, else 0."""
        best = Mark(0.0)
        for reference in row.references:
            expected = _words(reference)
            found = _list_in(answer, expected)
            same = found == expected if self._ordered else Counter(found) == Counter(expected)
            if found and (same or best.read is None):
                best = Mark(float(same), " ".join(found))
            if same:
                break
        return best

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return no_reference(row)


def _list_in(answer: str, expected: list[str]) -> list[str]:
    known = set(expected)
    for part in reversed(_parts(answer)):
        words = _words(part)
        lead = max((at + 1 for at, word in enumerate(words) if word in _LEADS - known), default=0)
        for listed in (words[lead:], words):
            if listed and sum(word in known for word in listed) * 2 >= len(listed):
                return listed
    return []


def _parts(answer: str) -> list[str]:
    """The parts of an answer that can be a list; the lines of a list with a word a line are one part."""
    parts: list[str] = []
    for block in _BREAK.split(_MARKER.sub("", answer)):
        lines = [line for line in _LINE.split(block) if line.strip()]
        if all(len(_words(line)) <= 1 for line in lines):
            parts.append("\n".join(lines))
        else:
            parts += lines
    return parts


def _words(text: str) -> list[str]:
    return [word for word in tokens(_MARKER.sub("", text)) if word not in _JOINS]
