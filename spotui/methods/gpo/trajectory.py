"""How much two texts have in common, by BM25 (Robertson and Zaragoza, 2009); no model is asked."""

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from spotui.domain.events import PastPrompt
from spotui.engine import Scored
from spotui.methods.gpo.parameters import Parameters
from spotui.metrics.texts import tokens

K1: Final = 1.2
B: Final = 0.75
"""The usual constants: how soon repetition stops counting, and how much length does."""


def similarities(query: str, texts: Sequence[str]) -> list[float]:
    """How much of a query each text holds: about 1 for the query itself, 0 for a text that shares no word.

    Args:
        query: A text.
        texts: Other texts; words that most of them hold count little.
    """
    documents = [Counter(tokens(text)) for text in [*texts, query]]
    mean = sum(map(Counter.total, documents)) / len(documents) or 1.0
    wanted = documents[-1]
    weights = {word: _weight(word, documents) for word in wanted}

    def match(document: Counter[str]) -> float:
        length = K1 * (1 - B + B * document.total() / mean)
        return sum(weights[word] * document[word] * (K1 + 1) / (document[word] + length) for word in wanted)

    own = match(wanted)
    return [match(document) / own if own else 0.0 for document in documents[:-1]]


def _weight(word: str, documents: Sequence[Counter[str]]) -> float:
    having = sum(word in document for document in documents)
    return math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))


Measure = Callable[[str, Sequence[str]], Awaitable[list[float]]]


class Entry(msgspec.Struct, frozen=True):
    """Something that was learned in a step.

    Attributes:
        round: The step's round.
        text: A prompt, or a reflection on one.
        score: Of the prompt, 0..1.
    """

    round: int
    text: str
    score: float


class Trajectory:
    """The entries of all steps so far.

    Args:
        parameters: Which of them are shown, and in what order.
        by_score: Whether the order is by score, whatever they are chosen by, as in runs of the first edition.
    """

    def __init__(self, parameters: Parameters, *, by_score: bool = False) -> None:
        self._parameters = parameters
        self._by_score = by_score
        self._entries: list[Entry] = []

    def add_prompt(self, scored: Scored) -> None:
        """Remember a prompt."""
        if self._parameters.trajectory_content == "prompts":
            self._add(Entry(scored.candidate.round, scored.prompt, scored.score.mean))

    def add_reflection(self, number: int, text: str, scored: Scored) -> None:
        """Remember what was written about a prompt."""
        if text and self._parameters.trajectory_content == "reflections":
            self._add(Entry(number, text, scored.score.mean))

    async def select(self, like: str, measure: Measure) -> list[PastPrompt]:
        """What the optimizer is shown.

        Args:
            like: The current prompt, or the reflection on it: it is not shown again, and what is most like it
                is what is relevant.
            measure: Tells how much each of some texts is like another.
        """
        if self._parameters.trajectory != "retrieval":
            return []
        others = [entry for entry in self._entries if entry.text != like]
        found = await measure(like, [entry.text for entry in others])
        shown = [
            PastPrompt(round=entry.round, text=entry.text, score=entry.score, similarity=similarity)
            for entry, similarity in zip(others, found, strict=True)
        ]
        return self._ordered(self._chosen(shown))

    def _chosen(self, shown: Sequence[PastPrompt]) -> list[PastPrompt]:
        size = self._parameters.trajectory_size
        match self._parameters.trajectory_selection:
            case "recency":
                return list(shown[max(0, len(shown) - size) :])
            case "relevance":
                return sorted(shown, key=lambda one: one.similarity or 0.0, reverse=True)[:size]
            case "importance":
                return sorted(shown, key=lambda one: one.score or 0.0, reverse=True)[:size]

    def _ordered(self, chosen: Sequence[PastPrompt]) -> list[PastPrompt]:
        downwards = self._parameters.trajectory_order == "descending"
        return sorted(chosen, key=self._rank, reverse=downwards)

    def _rank(self, earlier: PastPrompt) -> tuple[float, int]:
        """What past prompts are ordered by: the same that they are chosen by."""
        by = self._parameters.trajectory_selection
        if self._by_score or by == "importance":
            return earlier.score or 0.0, earlier.round
        return (earlier.similarity or 0.0 if by == "relevance" else 0.0), earlier.round

    def _add(self, entry: Entry) -> None:
        if all(entry.text != one.text for one in self._entries):
            self._entries.append(entry)
