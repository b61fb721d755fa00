"""Opening a duel for people's votes, blind: which side is which does not follow from the round."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from spotui.engine.context import Context
from spotui.engine.decisions import Inbox, Side
from spotui.engine.task import Trial
from spotui.events import DuelOpened


@contextmanager
def open_duel(context: Context, best: Trial, candidate: Trial) -> Iterator[Inbox]:
    """While a duel is open: where people's votes arrive.

    Args:
        context: What is told of it.
        best: The trial to beat.
        candidate: The one that has to beat it.
    """
    left = _left(best, candidate)
    with context.decisions.duel(candidate.round, left) as inbox:
        context.emit(DuelOpened(round=candidate.round, best=best.round, left=left))
        yield inbox


def _left(best: Trial, candidate: Trial) -> Side:
    """By the answers alone, so that a run that is resumed shows them as it did."""
    shown = "\0".join(record.answer for trial in (best, candidate) for record in trial.answers)
    return "best" if sha256(shown.encode("utf-8", "replace")).digest()[0] % 2 else "candidate"
