"""How much two texts have in common, by BM25 (Robertson and Zaragoza, 2009); no model is asked."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

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
