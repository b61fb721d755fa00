"""What a migration's figures say: no loss, a gain, a loss, or nothing beyond chance; and what to do then.

A claim is made by an interval alone. A new model shows no loss where the whole 95% interval of its difference
to the old one lies above the margin below 0.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from spotui.domain.answer_cost import AnswerCost
from spotui.domain.statistics import Comparison, Interval, compare, score
from spotui.domain.verdicts import Choice
from spotui.judging.final_check import paired
from spotui.workspace.migration_file import Advice, Finding, MigrationRecord, Tried

_HALF: Final = 0.5

DEARER: Final = 1.05
"""A model that costs this many times as much an answer costs more; less than that is no difference."""


class Measured(msgspec.Struct, frozen=True):
    """A new model's answers beside the old one's.

    Attributes:
        score: The mean mark, or the win rate with ties as half a win.
        interval: Its 95% interval.
        comparison: How it compares with the old model, from its side.
    """

    score: float
    interval: Interval
    comparison: Comparison


def by_rows(old: Sequence[float | None], new: Sequence[float | None], *, seed: int) -> Measured:
    """Compare marks row by row.

    Args:
        old: The old model's marks; None for a row that cannot be compared.
        new: The new one's.
        seed: The run's.
    """
    found = score(new, seed=seed)
    return Measured(found.mean, found.interval, compare(old, new, seed=seed))


def by_duels(choices: Sequence[Choice]) -> Measured:
    """Compare answers by the verdict on each question.

    Args:
        choices: The verdicts from the new model's side; void for a question that cannot be compared.
    """
    found = paired(choices)
    shifted = Interval(_HALF + found.interval.low, _HALF + found.interval.high)
    return Measured(_HALF + found.difference, shifted, found)


def finding_of(comparison: Comparison, margin: float) -> Finding:
    """What an interval says.

    Args:
        comparison: The new model against the old one.
        margin: How much worse may still count as no loss, 0..1.
    """
    low, high = comparison.interval.low, comparison.interval.high
    if not comparison.wins + comparison.losses + comparison.ties:
        return "unmeasured"
    if low > 0:
        return "better"
    if low >= -margin:
        return "no_loss"
    return "worse" if high < 0 else "unclear"


def advise(record: MigrationRecord) -> Advice:
    """What to do, once everything is measured.

    Of the prompts that show no loss the one with the cheapest answers is chosen; where a price is unknown, or
    prices are the same, the one with the largest difference. On one model, the same prompt is kept unless
    only the new one shows a gain. A model that costs more than the old one and shows no gain is no reason to
    move.
    """
    measured = [one for one in record.tried if one.finding != "unmeasured"]
    if not measured:
        return Advice(action="stay", reason="unmeasured")
    safe = [_of_model(record, model) for model in record.models]
    fit = [one for one in safe if one is not None]
    if not fit:
        closest = max(measured, key=lambda one: one.difference_interval[0])
        return _advice("stay", closest)
    prices = [_usd(one.cost) for one in fit]
    are_priced = None not in prices
    best = min(fit, key=lambda one: ((_usd(one.cost) or 0.0) if are_priced else 0.0, -one.difference))
    old = _usd(record.incumbent.cost) if record.incumbent is not None else None
    new = _usd(best.cost)
    if best.finding != "better" and old is not None and new is not None and new > old * DEARER:
        gained = [one for one in fit if one.finding == "better"]
        if not gained:
            return Advice(action="stay", model=best.model, kind=best.kind, reason="dearer")
        best = max(gained, key=lambda one: one.difference)
    return _advice(best.kind, best)


def _of_model(record: MigrationRecord, model: str) -> Tried | None:
    """The prompt that a model would get, of those that show no loss on it; None where neither does."""
    same, new = record.tried_with(model, "same"), record.tried_with(model, "new")
    fit = [one for one in (same, new) if one is not None and one.is_safe]
    return next((one for one in fit if one.finding == "better"), fit[0] if fit else None)


def _usd(cost: AnswerCost | None) -> float | None:
    return None if cost is None else cost.usd


def _advice(action: str, tried: Tried) -> Advice:
    assert tried.finding != "unmeasured"  # noqa: S101 - only measured ones are chosen from
    return Advice(action=action, model=tried.model, kind=tried.kind, reason=tried.finding)  # type: ignore[arg-type]
