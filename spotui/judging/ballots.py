"""What the judge is shown, and in which order: blind, and fair to both sides."""

import random
from typing import Literal

import msgspec

Order = Literal["AB", "BA"]


class Ballot(msgspec.Struct, frozen=True):
    """One comparison to ask for.

    Attributes:
        index: Its number in the duel, from 0.
        order: AB shows the best as A and the candidate as B; BA the other way round.
    """

    index: int
    order: Order


def alternating(count: int) -> tuple[Ballot, ...]:
    """Ballots in the one order and the other by turns, so that a taste for a position never gets ahead."""
    return tuple(Ballot(index, "AB" if index % 2 == 0 else "BA") for index in range(count))


def coin_flips(count: int, rng: random.Random) -> tuple[Ballot, ...]:
    """The reference's way: every ballot's order by chance, whatever the others' are."""
    return tuple(Ballot(index, "AB" if rng.random() < 0.5 else "BA") for index in range(count))
