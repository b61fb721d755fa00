"""Scores how much an answer and a reference have in common, in degrees.

The counting is done by libraries: rapidfuzz for ROUGE-L, sacrebleu for BLEU and chrF.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final, Literal

from spotui.domain.rows import Row
from spotui.domain.text import IDEOGRAPHS
from spotui.lang import _
from spotui.metrics.mark import Mark, MetricError, no_reference

Over = Literal["best", "mean"]

_SQUAD_WORD: Final = re.compile(rf"[{IDEOGRAPHS}]|(?:(?![{IDEOGRAPHS}])\S)+")
_ARTICLES: Final = frozenset({"a", "an", "the"})
_IDEOGRAPH: Final = re.compile(f"[{IDEOGRAPHS}]")


class TokenF1:
    """The F1 of the words of answer and reference, as SQuAD computes it (Rajpurkar et al., 2016).

    Case, punctuation and the articles a, an and the make no difference; the best reference counts.
    """

    def mark(self, answer: str, row: Row) -> Mark:
        """The F1, 0..1."""
        words = _squad_words(answer)
        return Mark(max(_f1_of_counts(words, _squad_words(one)) for one in row.references), answer)

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return no_reference(row)


class Rouge:
    """ROUGE (Lin, 2004): the F1 of what answer and reference have in common, without stemming.

    Args:
        over: With several references, the best figure, or the mean as GPO reports it for WebNLG.
    """

    def __init__(self, over: Over = "best") -> None:
        self._over = over

    def figure(self, answer: list[str], reference: list[str]) -> float:
        """The F1 of two lists of words."""
        raise NotImplementedError

    def mark(self, answer: str, row: Row) -> Mark:
        """The F1, 0..1."""
        words = _words(answer)
        figures = [self.figure(words, _words(reference)) for reference in row.references]
        return Mark(max(figures) if self._over == "best" else sum(figures) / len(figures), answer)

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return no_reference(row)


class Rouge1(Rouge):
    """ROUGE-1: words in common."""

    def figure(self, answer: list[str], reference: list[str]) -> float:
        """The F1 of words."""
        return _f1_of_counts(answer, reference)


class Rouge2(Rouge):
    """ROUGE-2: pairs of neighbouring words in common."""

    def figure(self, answer: list[str], reference: list[str]) -> float:
        """The F1 of pairs of words."""
        return _f1_of_counts(list(pairwise(answer)), list(pairwise(reference)))


class RougeL(Rouge):
    """ROUGE-L: the longest common subsequence of words."""

    def figure(self, answer: list[str], reference: list[str]) -> float:
        """The F1 of the subsequence."""
        return _f1(answer, reference)


class Bleu:
    """BLEU of a sentence against all references (Papineni et al., 2002), as sacrebleu smooths it."""

    def mark(self, answer: str, row: Row) -> Mark:
        """The figure, 0..1.

        Raises:
            MetricError: sacrebleu is not there.
        """
        is_chinese = any(_IDEOGRAPH.search(one) for one in row.references)
        figure = _sacrebleu("sentence_bleu", answer, row, tokenize="zh" if is_chinese else "13a")
        return Mark(figure, answer)

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return no_reference(row)


class Chrf:
    """chrF of a sentence against the best reference (Popović, 2015)."""

    def mark(self, answer: str, row: Row) -> Mark:
        """The figure, 0..1.

        Raises:
            MetricError: sacrebleu is not there.
        """
        return Mark(_sacrebleu("sentence_chrf", answer, row), answer)

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return no_reference(row)


@cache
def _word() -> Any:
    import regex  # knows the vowel signs of Hindi and Thai as parts of words

    return regex.compile(rf"[{IDEOGRAPHS}]|(?:(?![{IDEOGRAPHS}])[\p{{L}}\p{{M}}\p{{N}}])+")


def _words(text: str) -> list[str]:
    found: list[str] = _word().findall(unicodedata.normalize("NFC", text).lower())
    return found


def _squad_words(text: str) -> list[str]:
    """The words of a text as SQuAD compares them; where no spaces are written, each character is one."""
    text = unicodedata.normalize("NFC", text).lower()
    folded = "".join(one for one in text if not unicodedata.category(one).startswith("P"))
    return [word for word in _SQUAD_WORD.findall(folded) if word not in _ARTICLES]


def _f1_of_counts(given: Sequence[object], expected: Sequence[object]) -> float:
    if not given or not expected:
        return float(list(given) == list(expected))
    common = (Counter(given) & Counter(expected)).total()
    return 2 * common / (len(given) + len(expected))


def _f1(given: list[str], expected: list[str]) -> float:
    from rapidfuzz.distance import LCSseq

    if not given or not expected:
        return 0.0
    return 2 * LCSseq.similarity(given, expected) / (len(given) + len(expected))


def _sacrebleu(function: str, answer: str, row: Row, **options: str) -> float:
    try:
        import sacrebleu
    except ImportError:
        hint = _("Install it with `pip install 'spotui[metrics]'`, or choose another metric.")
        raise MetricError(
            _("The metrics bleu and chrf need sacrebleu, which is not installed."), hint
        ) from None
    figure = getattr(sacrebleu, function)(answer, list(row.references), **options).score / 100
    return float(min(1.0, max(0.0, figure)))
