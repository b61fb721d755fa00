"""How reliable a judge is, by its own votes and beside other judges."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Final, Literal, NamedTuple

import msgspec

from spotui.domain.events import JudgeMeasured
from spotui.domain.records import RoundLine, VoteRecord
from spotui.domain.statistics import binomial_tail, wilson
from spotui.domain.verdicts import Choice
from spotui.judging.votes import pooled
from spotui.lang import _

"""Standard deviations on either side of a 95% interval."""

CHANCE: Final = 0.05
"""How probable a record may be at most, for a judge that is in order, before it is warned of."""

FLIPS_OF_A_COIN: Final = 0.5
FLIPS_OF_A_GOOD_JUDGE: Final = 2 * 0.8 * 0.2
"""How often the two orders disagree when a judge is right four times in five in each."""


Fault = Literal["", "guessing", "position"]


class Cast(NamedTuple):
    """A vote with the order it was asked in; the order is empty where there is none."""

    order: str
    choice: Choice
    judge: str = ""


def interval(hits: int, of: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson, 1927), from 0 to 1.

    Args:
        hits: How often it happened.
        of: How often it could have; 1 or more.
    """
    found = wilson(hits, of)
    return found.low, found.high


class WinRate(msgspec.Struct, frozen=True):
    """The candidate's share of the votes that chose a side, with its 95% interval."""

    rate: float
    interval: tuple[float, float]


def win_rate(choices: Iterable[Choice]) -> WinRate | None:
    """The win rate of some votes; None when none chose a side."""
    chosen = [choice for choice in choices if choice in {"win", "loss"}]
    if not chosen:
        return None
    wins = chosen.count("win")
    return WinRate(wins / len(chosen), interval(wins, len(chosen)))


def flipped(votes: Sequence[Cast]) -> bool | None:
    """Whether the first votes of the two orders disagree about the sides; None when there is no such pair.

    Only the first pair of a duel tells something about the judge: whether another is asked depends on how
    the first one fell, so those that are asked are not a fair sample.
    """
    first = [next((vote.choice for vote in votes if vote.order == order), "void") for order in ("AB", "BA")]
    return None if {"tie", "void"} & set(first) else first[0] != first[1]


class Reliability(msgspec.Struct, frozen=True):
    """A judge's record over some duels.

    Attributes:
        votes: How many were asked for.
        voids: Those in which no choice could be read, even when asked again.
        pairs: Duels whose first votes of both orders chose a side.
        flips: Pairs that disagree: the order decided, and not the answers.
        flips_to_first: Flips for whatever was shown first.
    """

    votes: int = 0
    voids: int = 0
    pairs: int = 0
    flips: int = 0
    flips_to_first: int = 0

    def after(self, duel: Sequence[Cast]) -> "Reliability":
        """The record with one duel more."""
        flip = flipped(duel)
        to_first = bool(flip) and next(vote.choice for vote in duel if vote.order == "BA") == "win"
        return Reliability(
            self.votes + len(duel),
            self.voids + sum(vote.choice == "void" for vote in duel),
            self.pairs + (flip is not None),
            self.flips + bool(flip),
            self.flips_to_first + to_first,
        )

    @property
    def flip_rate(self) -> float | None:
        """The share of pairs that flip: 0 for a judge that is always right, a half for one that guesses."""
        return self.flips / self.pairs if self.pairs else None

    @property
    def flip_interval(self) -> tuple[float, float] | None:
        """The 95% interval of the flip rate."""
        return interval(self.flips, self.pairs) if self.pairs else None

    @property
    def fault(self) -> Fault:
        """What is wrong with the judge, once the votes show it beyond chance."""
        return _fault(self.flips, self.pairs)

    @property
    def warning(self) -> str:
        """The same as a sentence; empty when nothing is wrong."""
        match self.fault:
            case "position":
                last = self.flips - self.flips_to_first
                if self.flips_to_first >= last:
                    return _(
                        "This judge decides by position: in {flips} of {pairs} pairs of votes it chose the "
                        "answer shown first both times.",
                        flips=self.flips_to_first,
                        pairs=self.pairs,
                    )
                return _(
                    "This judge decides by position: in {flips} of {pairs} pairs of votes it chose the "
                    "answer shown last both times.",
                    flips=last,
                    pairs=self.pairs,
                )
            case "guessing":
                return _(
                    "This judge may be guessing: in {flips} of {pairs} pairs of votes the order of the "
                    "answers changed its choice.",
                    flips=self.flips,
                    pairs=self.pairs,
                )
            case _:
                return ""


@lru_cache(maxsize=64)  # one record is asked for its fault before and after every duel, and for the warning
def _fault(flips: int, pairs: int) -> Fault:
    if _is_beyond_chance(flips, pairs, FLIPS_OF_A_COIN):
        return "position"
    return "guessing" if _is_beyond_chance(flips, pairs, FLIPS_OF_A_GOOD_JUDGE) else ""


def _is_beyond_chance(flips: int, pairs: int, rate: float) -> bool:
    """Whether so many flips are improbable; as many as are expected, or fewer, never are."""
    return flips > pairs * rate and binomial_tail(flips, pairs, rate) < CHANCE


def length_ratio(best: Iterable[str], candidate: Iterable[str]) -> float | None:
    """Characters of the candidate's answers over the best's; None when the best's are empty."""
    before = sum(map(len, best))
    return sum(map(len, candidate)) / before if before else None


class Panel(msgspec.Struct, frozen=True):
    """The record of all judges over some duels.

    Attributes:
        records: Each judge's own, by its name; an empty name where there is one judge alone.
        compared: Pairs of judges that chose sides in the same duel.
        agreed: Those that chose the same one.
    """

    records: Mapping[str, Reliability] = {}
    compared: int = 0
    agreed: int = 0

    def after(self, duel: Sequence[Cast]) -> "Panel":
        """The record with one duel more."""
        judges = list(dict.fromkeys(vote.judge for vote in duel))
        of = {judge: [vote for vote in duel if vote.judge == judge] for judge in judges}
        records = dict(self.records)
        for judge, votes in of.items():
            records[judge] = records.get(judge, Reliability()).after(votes)
        sides = [pooled([vote.choice for vote in votes]) for votes in of.values()]
        pairs = [(one, other) for one, other in combinations(sides, 2) if {one, other} <= {"win", "loss"}]
        return Panel(
            records, self.compared + len(pairs), self.agreed + sum(one == other for one, other in pairs)
        )

    @property
    def together(self) -> Reliability:
        """All judges as if they were one."""
        fields = Reliability.__struct_fields__
        return Reliability(
            **{name: sum(getattr(one, name) for one in self.records.values()) for name in fields}
        )

    @property
    def agreement(self) -> float | None:
        """How often two judges that choose sides choose the same one."""
        return self.agreed / self.compared if self.compared else None

    @property
    def agreement_interval(self) -> tuple[float, float] | None:
        """The 95% interval of the agreement."""
        return interval(self.agreed, self.compared) if self.compared else None

    @property
    def faults(self) -> frozenset[tuple[str, Fault]]:
        """The judges with which something is wrong, and what."""
        return frozenset((judge, record.fault) for judge, record in self.records.items() if record.fault)

    @property
    def warning(self) -> str:
        """What is wrong with any judge, with its name where there are several."""
        several = len(self.records) > 1
        return " ".join(
            f"{judge}: {warning}" if several else warning
            for judge, record in self.records.items()
            if (warning := record.warning)
        )


def casts(votes: Iterable[VoteRecord]) -> tuple[Cast, ...]:
    """The judge's own votes of a duel, without those of people and of judges that see no order."""
    return tuple(
        Cast(vote.order, vote.choice, vote.model) for vote in votes if vote.voter in {"model", "logprob"}
    )


def duels_of(line: RoundLine) -> list[tuple[Cast, ...]]:
    """The judge's own votes in each duel of a round, of its candidate and of the others."""
    duels = [casts(votes) for votes in (line.votes, *(one.votes for one in line.others))]
    return [votes for votes in duels if votes]


def panel_of(rounds: Iterable[RoundLine]) -> Panel:
    """The record of all judges after these rounds."""
    panel = Panel()
    for line in rounds:
        for votes in duels_of(line):
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
