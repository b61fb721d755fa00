"""The cheapest sequential rule that keeps given error rates, found by trying all of them.

A rule is, after every ballot, the leads with which it goes on; all above win, all below are given up.
Whatever cannot keep the error rates any more, or costs more than the best so far, is not followed further.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from spotui.judging.decision import Boundaries

_ROUNDING = 1e-12


class Aims(msgspec.Struct, frozen=True):
    """The error rates to keep, with a judge that is right with chance `accuracy` and has no bias.

    Attributes:
        accuracy: Of a vote.
        power: A better candidate wins at least so often.
        equal: An equal one at most so often.
        worse: A worse one at most so often.
        cap: Ballots that a duel may take.
    """

    accuracy: float
    power: float
    equal: float
    worse: float
    cap: int


class Found(NamedTuple):
    """A rule, and the calls it takes, the mean over a better, an equal and a worse candidate."""

    boundaries: Boundaries
    calls: float


class _Chances(NamedTuple):
    """The chance of something with a better, an equal and a worse candidate."""

    better: float
    equal: float
    worse: float

    @property
    def mean(self) -> float:
        return sum(self) / 3


class _Edge(NamedTuple):
    """Where a rule decides after one more ballot."""

    accept: int | None
    give_up: int | None


class _Spent(NamedTuple):
    """What has been used up of the aims so far: better candidates lost, others let through, calls."""

    lost: float
    equal: float
    worse: float
    calls: float


def cheapest(aims: Aims) -> Found | None:
    """The rule that takes the fewest calls on average; None when no rule of so few ballots keeps the aims."""
    search = _Search(aims)
    search.follow({0: _Chances(1.0, 1.0, 1.0)}, _Spent(0.0, 0.0, 0.0, 0.0), ())
    return search.found


class _Search:
    def __init__(self, aims: Aims) -> None:
        self.found: Found | None = None
        self._aims = aims
        right = aims.accuracy
        self._win, self._loss = _Chances(right, 0.5, 1 - right), _Chances(1 - right, 0.5, right)

    def follow(self, going: Mapping[int, _Chances], spent: _Spent, path: tuple[_Edge, ...]) -> None:
        """Ask one ballot more in every duel that goes on, and try every way to decide then."""
        calls = spent.calls + sum(chances.mean for chances in going.values())
        if self.found is not None and calls >= self.found.calls - _ROUNDING:
            return
        after: dict[int, _Chances] = {}
        for lead, chances in going.items():
            for step, odds in ((1, self._win), (-1, self._loss)):
                so_far = after.get(lead + step, _Chances(0.0, 0.0, 0.0))
                after[lead + step] = _Chances(
                    *(old + one * odd for old, one, odd in zip(so_far, chances, odds, strict=True))
                )
        self._decide(after, spent._replace(calls=calls), path)

    def _decide(self, after: Mapping[int, _Chances], spent: _Spent, path: tuple[_Edge, ...]) -> None:
        leads = sorted(after)
        for low in range(len(leads) + 1):
            lost = spent.lost + sum(after[lead].better for lead in leads[:low])
            if lost > 1 - self._aims.power + _ROUNDING:
                return
            for high in range(len(leads), low - 1, -1):
                equal = spent.equal + sum(after[lead].equal for lead in leads[high:])
                worse = spent.worse + sum(after[lead].worse for lead in leads[high:])
                if equal > self._aims.equal + _ROUNDING or worse > self._aims.worse + _ROUNDING:
                    break
                edge = _Edge(leads[high] if high < len(leads) else None, leads[low - 1] if low else None)
                self._go_on(
                    {lead: after[lead] for lead in leads[low:high]},
                    _Spent(lost, equal, worse, spent.calls),
                    (*path, edge),
                )

    def _go_on(self, going: Mapping[int, _Chances], spent: _Spent, path: tuple[_Edge, ...]) -> None:
        if going:
            if len(path) < self._aims.cap:
                self.follow(going, spent, path)
            return
        boundaries = Boundaries(tuple(edge.accept for edge in path), tuple(edge.give_up for edge in path))
        if self.found is None or spent.calls < self.found.calls - _ROUNDING:
            self.found = Found(boundaries, spent.calls)


def frontier(aims: Aims, steps: int) -> list[tuple[float, Found]]:
    """The cheapest rules by how seldom an equal candidate wins, each with the limit it keeps."""
    limits = [aims.equal * (steps - step) / steps for step in range(steps)]
    found = [(limit, cheapest(msgspec.structs.replace(aims, equal=limit))) for limit in limits]
    return [(limit, one) for limit, one in found if one is not None]
