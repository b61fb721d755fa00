"""A judge's record: what of a duel counts for it, and the event that tells it, live or from the journal."""

from collections.abc import Iterable

from spotui.events import JudgeMeasured
from spotui.judging.panel import Panel
from spotui.judging.reliability import Cast
from spotui.workspace.lines import RoundLine, VoteRecord


def casts(votes: Iterable[VoteRecord]) -> tuple[Cast, ...]:
    """The judge's own votes of a duel, without those of people and of judges that see no order."""
    return tuple(
        Cast(vote.order, vote.choice, vote.model) for vote in votes if vote.voter in {"model", "logprob"}
    )


def panel_of(rounds: Iterable[RoundLine]) -> Panel:
    """The record of all judges after these rounds."""
    panel = Panel()
    for line in rounds:
        if votes := casts(line.votes):
            panel = panel.after(votes)
    return panel


def judge_record(panel: Panel, number: int) -> JudgeMeasured:
    """The record of all judges up to a round.

    Args:
        panel: The record.
        number: The round.
    """
    record = panel.together
    return JudgeMeasured(
        round=number,
        votes=record.votes,
        voids=record.voids,
        pairs=record.pairs,
        flips=record.flips,
        flip_rate=record.flip_rate,
        flip_interval=record.flip_interval,
        warning=panel.warning,
        compared=panel.compared,
        agreed=panel.agreed,
        agreement=panel.agreement,
        agreement_interval=panel.agreement_interval,
    )
