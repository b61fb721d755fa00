"""The final check: best against seed on every question, those that no round has seen included."""

from collections.abc import Mapping, Sequence
from typing import Final

from spotui.domain.records import CheckedRow, CheckLine, Ranked, VoteRecord
from spotui.domain.verdicts import Choice
from spotui.engine.asking import together
from spotui.engine.round import Verbs
from spotui.engine.task import Trial, answered_by_both
from spotui.judging.final_check import Checked
from spotui.judging.ranking import strengths
from spotui.lang import _

_SHARES: Final[Mapping[Choice, tuple[float, float]]] = {
    "win": (1.0, 0.0),
    "loss": (0.0, 1.0),
    "tie": (0.5, 0.5),
    "void": (0.0, 0.0),
}


class Standings:
    """Who beat whom, in votes, among the prompts that won along the way."""

    def __init__(self) -> None:
        self._wins: dict[tuple[int, int], float] = {}

    def add(self, winner: int, other: int, votes: Sequence[VoteRecord]) -> None:
        """Count votes from the winner's side; a tie is half a win for either."""
        for vote in votes:
            for_it, against = _SHARES[vote.choice]
            self._wins[winner, other] = self._wins.get((winner, other), 0.0) + for_it
            self._wins[other, winner] = self._wins.get((other, winner), 0.0) + against

    def ranking(self) -> tuple[Ranked, ...]:
        """The strongest first."""
        found = strengths(self._wins)
        ranked = [Ranked(number, round(strength, 3)) for number, strength in found.items()]
        return tuple(sorted(ranked, key=lambda one: -one.strength))


async def check_best(verbs: Verbs, seed: Trial, best: Trial, standings: Standings) -> CheckLine:
    """Compare two trials on every question of the task, each in both orders.

    Args:
        verbs: What asks executor and judge.
        seed: The seed's trial on the question set.
        best: The best candidate's.
        standings: The votes along the way; the check's own are added.

    Returns:
        What was found, or why there was nothing to compare.

    Raises:
        Halted: The run ends before.
    """
    held_out = verbs.context.task.held_out
    more = await together(
        [verbs.executor.execute(one.candidate, held_out, held_out=True) for one in (seed, best)]
    )
    whole = [
        _joined(one, rest) for one, rest in zip((seed, best), more, strict=True) if isinstance(rest, Trial)
    ]
    if len(whole) < len(more):
        return CheckLine(best=best.round, skipped=_("A held-out question got no answer."))
    old, new = answered_by_both(*whole)
    if not new.answers:
        return CheckLine(best=best.round, skipped=_("No question was answered with both prompts."))
    rows = await verbs.judge.compare_rows(old, new)
    for row in rows:
        standings.add(best.round, seed.round, row.votes)
    check = Checked(tuple(row.choice for row in rows))
    ranking: tuple[Ranked, ...] = ()
    with verbs.context.statistic(_("The ranking of the prompts")):
        ranking = standings.ranking()
    asked = len(seed.questions)
    return CheckLine(
        best=best.round,
        outcome=check.outcome,
        headline=check.headline,
        rows=tuple(
            CheckedRow(one.question, row.choice, row.votes, held_out=new.position_of(index) >= asked)
            for index, (one, row) in enumerate(zip(new.questions, rows, strict=True))
        ),
        win_rate=check.rate.rate if check.rate else None,
        win_interval=check.rate.interval if check.rate else None,
        ranking=ranking,
    )


def _joined(first: Trial, second: Trial) -> Trial:
    return Trial(first.candidate, (*first.questions, *second.questions), (*first.answers, *second.answers))
