"""A judge's record as an event: told while a run goes on, and told again from its journal."""

from spotui.events import JudgeMeasured
from spotui.judging.panel import Panel


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
