"""The one place where two texts differ."""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from spotui.domain.text import IDEOGRAPHS, count_words


class TextChange(NamedTuple):
    """What turns one text into another: its characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


def one_change(old: str, new: str) -> TextChange:
    """The smallest single change between two texts; where there are several alike, the first."""
    most = min(len(old), len(new))
    start = next((place for place in range(most) if old[place] != new[place]), most)
    most -= start
    tail = next((place for place in range(most) if old[-1 - place] != new[-1 - place]), most)
    return TextChange(start, len(old) - tail, new[start : len(new) - tail])


# A word and the white space behind it; white space in front of the first word stands behind an empty one.
_WORD = re.compile(rf"([{IDEOGRAPHS}]|[^\s{IDEOGRAPHS}]+|^)(\s*)")


class Piece(NamedTuple):
    """A run of text that is in both prompts, or in one of them."""

    change: Literal["same", "added", "removed"]
    text: str


def word_diff(old: str, new: str) -> list[Piece]:
    """The way from one prompt to another.

    `same` and `removed` pieces together are the old prompt, `same` and `added` ones the new.
    """
    before, after = _WORD.findall(old), _WORD.findall(new)
    # Words alone are compared: with white space among them, every blank could be matched with every other.
    matcher = SequenceMatcher(None, [word for word, _ in before], [word for word, _ in after], autojunk=False)
    way = _Way()
    for change, a, b, c, d in matcher.get_opcodes():
        if change != "equal":
            way.change("".join(map("".join, before[a:b])), "".join(map("".join, after[c:d])))
            continue
        for (word, old_gap), (_, new_gap) in zip(before[a:b], after[c:d], strict=True):
            way.keep(word)
            if old_gap == new_gap:
                way.keep(old_gap)
            else:
                way.change(old_gap, new_gap)
    return way.end()


class _Way:
    """Joins pieces of one kind; between two that stay, what goes comes before what comes."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._same = self._removed = self._added = ""

    def keep(self, text: str) -> None:
        if text and (self._removed or self._added):
            self.end()
        self._same += text

    def change(self, removed: str, added: str) -> None:
        self._removed += removed
        self._added += added

    def end(self) -> list[Piece]:
        found = (Piece("same", self._same), Piece("removed", self._removed), Piece("added", self._added))
        self._pieces += [piece for piece in found if piece.text]
        self._same = self._removed = self._added = ""
        return self._pieces


def words_changed(pieces: list[Piece]) -> tuple[int, int]:
    """How many words were added and how many removed."""
    added = sum(count_words(piece.text) for piece in pieces if piece.change == "added")
    removed = sum(count_words(piece.text) for piece in pieces if piece.change == "removed")
    return added, removed
