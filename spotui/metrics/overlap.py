"""Scores how much an answer and a reference have in common, in degrees.

The counting is done by libraries: rapidfuzz for ROUGE-L, sacrebleu for BLEU and chrF.
"""

import re
from typing import Final, Literal

from spotui.dataset import Row
from spotui.metrics.mark import Mark, MetricError, no_reference
from spotui.words import IDEOGRAPHS

Over = Literal["best", "mean"]

_WORD: Final = re.compile(rf"[{IDEOGRAPHS}]|(?:(?![{IDEOGRAPHS}_])\w)+")
_IDEOGRAPH: Final = re.compile(f"[{IDEOGRAPHS}]")


class RougeL:
    """ROUGE-L (Lin, 2004): the F1 of the longest common subsequence of words, without stemming.

    Args:
        over: With several references, the best figure, or the mean as GPO reports it for WebNLG.
    """

    def __init__(self, over: Over = "best") -> None:
        self._over = over

    def mark(self, answer: str, row: Row) -> Mark:
        """The F1, 0..1."""
        words = _WORD.findall(answer.lower())
        figures = [_f1(words, _WORD.findall(reference.lower())) for reference in row.references]
        return Mark(max(figures) if self._over == "best" else sum(figures) / len(figures), answer)

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return no_reference(row)


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


def _f1(found: list[str], expected: list[str]) -> float:
    from rapidfuzz.distance import LCSseq

    if not found or not expected:
        return 0.0
    return 2 * LCSseq.similarity(found, expected) / (len(found) + len(expected))


def _sacrebleu(function: str, answer: str, row: Row, **options: str) -> float:
    try:
        import sacrebleu
    except ImportError:
        mend = "Install it with `pip install 'spotui[metrics]'`, or choose another metric."
        raise MetricError("The metrics bleu and chrf need sacrebleu, which is not installed.", mend) from None
    figure = getattr(sacrebleu, function)(answer, list(row.references), **options).score / 100
    return float(min(1.0, max(0.0, figure)))
