"""What a rule does with a judge, without chance: every way that a duel can go, with its probability."""

from collections import defaultdict
from collections.abc import Sequence

from benchmarks.judging.judges import Character, JudgeModel, Quality
from spotui.domain.verdicts import Order
from spotui.judging.decision import Boundaries, Standing

Orders = Sequence[Order | None]
"""The orders of the ballots of a majority, None for one that is drawn by chance."""


def sequential(boundaries: Boundaries, judge: JudgeModel, quality: Quality) -> Character:
    """A sequential rule, its orders by turns.

    Args:
        boundaries: Where it decides.
        judge: Who votes.
        quality: Of the candidate.
    """
    accepted = calls = 0.0
    for weight, opinion in judge.opinions(quality):
        going = {Standing(): weight}
        while going:
            after: defaultdict[Standing, float] = defaultdict(float)
            for standing, chance in going.items():
                decision = boundaries.decide(standing)
                accepted += chance * (decision == "accept")
                if decision is None:
                    calls += chance * judge.calls_a_ballot
                    order: Order = "AB" if standing.asked % 2 == 0 else "BA"
                    for choice, odds in judge.ballot(opinion, order).items():
                        if odds:
                            after[standing.after(choice)] += chance * odds
            going = after
    return Character(accepted, calls)


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
    return Character(accepted, len(orders) * judge.calls_a_ballot)
