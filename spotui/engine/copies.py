"""The copy guard: a prompt states rules, and does not repeat the rows that it was written from.

It compares words alone, asks nobody, and finds the same whenever a run is resumed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from spotui.domain.lazy_pattern import LazyPattern
from spotui.domain.rows import Row, fill, slot_names
from spotui.domain.text import IDEOGRAPHS
from spotui.engine.task import Task
from spotui.metrics.texts import tokens

COPIED_WORDS: Final = 5
"""Consecutive words of one row that make a copy; of Chinese and Japanese characters, twice as many."""

_WORD_WEIGHT: Final = 2
_COPY_WEIGHT: Final = COPIED_WORDS * _WORD_WEIGHT

COMMON_SHARE: Final = 10
FEWEST_COMMON: Final = 2
"""Words in a tenth of the rows, and in two of them at least, belong to the task and not to a row."""

MOST_WORDS_READ: Final = 200_000
"""Words of rows that are compared: more than any optimizer is shown, and a fraction of a second to read."""

_IS_IDEOGRAPH: Final = LazyPattern(f"[{IDEOGRAPHS}]")

Words = tuple[str, ...]


class CopyGuard:
    """Finds what a prompt copied from the rows that the optimizer may have seen.

    Args:
        task: The task: its train rows, or else its questions; words of its prompt, its requirements, its
            criteria and the messages around the prompt are nobody's.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._of_rows: dict[Words, None] | None = None
        self._of_task: set[Words] = set()

    def copied(self, prompt: str, bases: Iterable[str]) -> str:
        """The longest passage that a prompt copied from a row; empty when there is none.

        Args:
            prompt: The prompt.
            bases: The prompts that it was made from: what they say already is no copy.
        """
        if self._of_rows is None:
            self._of_rows = self._read()
            self._of_task = set(_passages_of(_own_texts(self._task)))
        allowed = self._of_task.union(_passages_of(bases))
        longest: Words = ()
        for text in _between_slots(prompt):
            written = tokens(text)
            start = end = 0
            for first, words in passages(text):
                if words not in self._of_rows or words in allowed:
                    continue
                if first >= end:  # else it overlaps the last one, and makes it longer
                    start = first
                end = first + len(words)
                longest = max(longest, written[start:end], key=len)
        return " ".join(longest)

    def _read(self) -> dict[Words, None]:
        """The passages of the rows, without those that many rows have in common."""
        found: Counter[Words] = Counter()
        rows = words_read = 0
        for row in _rows(self._task):
            if words_read > MOST_WORDS_READ:
                break
            texts = _texts(row)
            found.update({*_passages_of(texts)})
            words_read += sum(len(text.split()) for text in texts)
            rows += 1
        many = max(FEWEST_COMMON, rows // COMMON_SHARE)
        return {words: None for words, held in found.items() if held < many}


def passages(text: str) -> Iterator[tuple[int, Words]]:
    """From every word of a text on, the shortest run of words that would be a copy, and where it begins."""
    words = tokens(text)
    weights = [1 if _IS_IDEOGRAPH.match(word) else _WORD_WEIGHT for word in words]
    end = weight = 0
    for start in range(len(words)):
        while weight < _COPY_WEIGHT:
            if end == len(words):
                return
            weight += weights[end]
            end += 1
        yield start, words[start:end]
        weight -= weights[start]


def _passages_of(texts: Iterable[str]) -> Iterator[Words]:
    return (words for text in texts for _, words in passages(text))


def _own_texts(task: Task) -> list[str]:
    """The texts of a task that are in no row."""
    around = [one.content for one in task.layout.around]
    return [task.prompt, task.requirements, task.criteria, *around]


def _rows(task: Task) -> Sequence[Row]:
    if task.rows is not None:
        return task.rows.train
    asked = (*task.questions, *task.held_out)
    return [one.row or Row(one.question, (one.answer,)) for one in asked]


def _texts(row: Row) -> list[str]:
    """Everything of a row that a prompt could repeat: what is asked, what fills slots, and the answers."""
    return [
        row.question,
        *row.slots.values(),
        *(one.content for one in row.history),
        *row.turns,
        *row.references,
    ]


def _between_slots(prompt: str) -> list[str]:
    return fill(prompt, dict.fromkeys(slot_names(prompt), "\0")).split("\0")
