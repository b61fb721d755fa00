"""Agreement of a judge with people: how often, beyond chance, and where they part."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from spotui.judging.reliability import interval


class Decision(NamedTuple):
    """What people and the judge say of the same answers.

    Attributes:
        people: The category that people chose.
        judge: The category that the judge chose; `void` where it chose none.
        kind: What kind of case it is; may be empty.
    """

    people: str
    judge: str
    kind: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both chose the same."""
        return self.people == self.judge


class Agreement(msgspec.Struct, frozen=True):
    """How far a judge agrees with people.

    Attributes:
        labels: Cases that people decided.
        agreed: Those that the judge decided likewise; one that it could not decide is none of them.
        interval: The 95% interval of their share (Wilson); the whole range without a label.
        expected: The share that would agree by chance, if both chose as often what they chose.
        kappa: Cohen's kappa, 1 for the same decisions and 0 for chance; None where chance explains all, as
            where everybody always chooses the same.
        confusion: How often the judge chose what, for each choice of people.
    """

    labels: int
    agreed: int
    interval: tuple[float, float]
    expected: float
    kappa: float | None
    confusion: Mapping[str, Mapping[str, int]]

    @property
    def share(self) -> float | None:
        """The share that agrees."""
        return self.agreed / self.labels if self.labels else None

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the whole interval is above what chance would bring."""
        return self.labels > 0 and self.interval[0] > self.expected


def agreement(decisions: Sequence[Decision]) -> Agreement:
    """How far a judge agrees with people (Cohen, 1960).

    Args:
        decisions: One a case.
    """
    count, agreed = len(decisions), sum(one.agrees for one in decisions)
    people, judge = Counter(one.people for one in decisions), Counter(one.judge for one in decisions)
    expected = math.fsum(people[one] * judge[one] for one in people) / (count * count) if count else 0.0
    cells = Counter((one.people, one.judge) for one in decisions)
    columns = [*people, *(one for one in judge if one not in people)]
    return Agreement(
        labels=count,
        agreed=agreed,
        interval=interval(agreed, count) if count else (0.0, 1.0),
        expected=expected,
        kappa=(agreed / count - expected) / (1 - expected) if count and expected < 1 else None,
        confusion={row: {column: cells[row, column] for column in columns} for row in people},
    )


def by_kind(decisions: Sequence[Decision]) -> dict[str, Agreement]:
    """The same for each kind of case, the most frequent first; nothing where no case has a kind."""
    kinds = Counter(one.kind for one in decisions)
    if set(kinds) <= {""}:
        return {}
    return {
        kind: agreement([one for one in decisions if one.kind == kind])
        for kind, _count in kinds.most_common()
    }
