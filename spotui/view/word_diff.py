"""What changed between two prompts, word by word: a prompt is prose, not code."""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from spotui.words import count_words

_TOKEN = re.compile(r"\s+|[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")


class Piece(NamedTuple):
    """A run of text that is in both prompts, or in one of them."""

    change: Literal["same", "added", "removed"]
    text: str


def word_diff(old: str, new: str) -> list[Piece]:
    """The way from one prompt to another.

    `same` and `removed` pieces together are the old prompt, `same` and `added` ones the new.
    """
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    pieces: list[Piece] = []
    for change, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if change == "equal":
            pieces.append(Piece("same", "".join(before[a:b])))
            continue
        if a < b:
            pieces.append(Piece("removed", "".join(before[a:b])))
        if c < d:
            pieces.append(Piece("added", "".join(after[c:d])))
    return pieces


def words_changed(pieces: list[Piece]) -> tuple[int, int]:
    """How many words were added and how many removed."""
    added = sum(count_words(piece.text) for piece in pieces if piece.change == "added")
    removed = sum(count_words(piece.text) for piece in pieces if piece.change == "removed")
    return added, removed
