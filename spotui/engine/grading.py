"""Graded marks: the probability of the right option, where the executor's endpoint reports it.

A mark of 0 or 1 says which option an answer chose; the probabilities at the token that says so tell how
close it was. They come with the answer, in the same call. A grade is for choosing prompts only: scores stay
means of marks.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

from spotui.domain.calls import Reply
from spotui.domain.events import Event, Noticed
from spotui.domain.rows import Row
from spotui.engine.task import RowOutcome
from spotui.lang import _

ALTERNATIVES: Final = 20
"""Tokens whose probability is asked for at every place of an answer: as many as endpoints report at most."""

GRADED_METRICS: Final = ("multiple_choice", "yes_no")
"""Whose options one token can say."""


@runtime_checkable
class Optioned(Protocol):
    """A metric whose answers are one of a few options, each of which one token can say."""

    def options(self, row: Row) -> Mapping[str, str]:
        """What each token says, without blanks and punctuation; empty where the row shows no options."""
        ...

    def right(self, row: Row) -> frozenset[str]:
        """The options that are right."""
        ...


class Grader:
    """Grades the answers to rows, and says once where it cannot.

    Args:
        metric: The metric that marks them.
        model: The executor's model.
        emit: Told of an endpoint that reports no probabilities.
    """

    def __init__(self, metric: Optioned, model: str, emit: Callable[[Event], None]) -> None:
        self._metric = metric
        self._model = model
        self._emit = emit
        self._is_told = False

    def watched(self, row: Row) -> tuple[str, ...]:
        """The tokens whose alternatives are asked for; none for a conversation of several turns."""
        return () if row.turns else tuple(self._metric.options(row))

    def grade(self, row: Row, outcome: RowOutcome, reply: Reply) -> float | None:
        """The probability of the right option, or None where it is unknown.

        The token that counts is the last one that says what the metric read out of the answer. An answer that
        begins with its option has it there, and one that reasons first has it at the end; one that says it in
        other words has no grade.

        Args:
            row: What was asked.
            outcome: With the mark, and with what the metric read.
            reply: What came.
        """
        options = self._metric.options(row)
        if not options or outcome.mark is None:
            return None
        if not reply.watched:
            self._tell(reply)
            return None
        return read_grade(reply.watched, options, outcome.note, self._metric.right(row))

    def _tell(self, reply: Reply) -> None:
        """Say once that there are no probabilities; an answer without any option says nothing about that."""
        if not self._is_told and not reply.reports_alternatives:
            self._is_told = True
            text = _(
                "{model} does not report how probable its tokens are: prompts are chosen by plain marks.",
                model=self._model,
            )
            self._emit(Noticed(text=text, level="warning"))


def read_grade(
    watched: Sequence[tuple[str, Sequence[tuple[str, float]]]],
    options: Mapping[str, str],
    read: str,
    right: frozenset[str],
) -> float | None:
    """The share of the right options among all, at the last token that says what was read.

    Args:
        watched: The tokens of an answer that can say an option, each with its alternatives.
        options: What each token says.
        read: The option that the metric read out of the answer.
        right: The options that are right.
    """
    for token, alternatives in reversed(watched):
        if options.get(token) != read:
            continue
        found = [(options[other], math.exp(logprob)) for other, logprob in alternatives if other in options]
        total = math.fsum(share for _option, share in found)
        if not total:
            return None
        return math.fsum(share for option, share in found if option in right) / total
    return None
