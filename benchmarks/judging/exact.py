"""What a rule does with a judge, without chance: every way that a duel can go, with its probability."""

from collections import defaultdict
from collections.abc import Sequence

from benchmarks.judging.judges import Character, JudgeModel, Quality
from spotui.domain.verdicts import Order
from spotui.judging.decision import AT_ONCE, Boundaries, Standing

Orders = Sequence[Order | None]
"""The orders of the ballots of a majority, None for one that is drawn by chance."""


def sequential(
    boundaries: Boundaries, judge: JudgeModel, quality: Quality, at_once: float = AT_ONCE
) -> Character:
    """A sequential rule, its orders by turns; a vote that is out when the duel is decided is paid for.

    Args:
        boundaries: Where it decides.
        judge: Who votes.
        quality: Of the candidate.
        at_once: The chance of being needed with which a ballot goes out with those before it.
    """
    accepted = calls = waves = 0.0
    for weight, opinion in judge.opinions(quality):
        going = {Standing(): weight}
        while going:
            after: defaultdict[Standing, float] = defaultdict(float)
            for standing, chance in going.items():
                asked = boundaries.likely_to_go(standing, at_once)
                calls += chance * asked * judge.calls_a_ballot
                waves += chance
                for one, share in _after(boundaries, judge, opinion, standing, asked).items():
                    decision = boundaries.decide(one)
                    accepted += chance * share * (decision == "accept")
                    if decision is None:
                        after[one] += chance * share
            going = after
    return Character(accepted, calls, waves)


def _after(
    boundaries: Boundaries, judge: JudgeModel, opinion: float, standing: Standing, asked: int
) -> dict[Standing, float]:
    """How a duel may stand after some ballots at once; once it is decided, no further one moves it."""
    going = {standing: 1.0}
    for _ in range(asked):
        after: defaultdict[Standing, float] = defaultdict(float)
        for one, chance in going.items():
            if boundaries.decide(one) is not None:
                after[one] += chance
                continue
            order: Order = "AB" if one.asked % 2 == 0 else "BA"
            for choice, odds in judge.ballot(opinion, order).items():
                if odds:
                    after[one.after(choice)] += chance * odds
        going = after
    return going


def majority(orders: Orders, judge: JudgeModel, quality: Quality) -> Character:
    """All ballots at once; more than half of them have to be for the candidate.

    Args:
        orders: Of each ballot.
        judge: Who votes.
        quality: Of the candidate.
    """
    accepted = 0.0
    for weight, opinion in judge.opinions(quality):
        wins = {0: weight}
        for order in orders:
            sides: tuple[Order, ...] = ("AB", "BA") if order is None else (order,)
            win = sum(judge.ballot(opinion, side)["win"] for side in sides) / len(sides)
            after: defaultdict[int, float] = defaultdict(float)
            for count, chance in wins.items():
                after[count + 1] += chance * win
                after[count] += chance * (1 - win)
            wins = after
        accepted += sum(chance for count, chance in wins.items() if 2 * count > len(orders))
    return Character(accepted, len(orders) * judge.calls_a_ballot, 1.0)
