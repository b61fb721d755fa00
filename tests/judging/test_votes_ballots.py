"""Which orders a judge is shown."""

import random
from collections import Counter

import pytest

from spotui.judging.votes import alternating, coin_flips


@pytest.mark.parametrize("count", [1, 4, 13])
def test_ballots_take_turns_so_that_no_side_is_first_more_than_once_more(count: int) -> None:
    ballots = alternating(count)
    assert [ballot.index for ballot in ballots] == list(range(count))
    for end in range(count + 1):
        seen = Counter(ballot.order for ballot in ballots[:end])
        assert seen["AB"] - seen["BA"] in {0, 1}


def test_coin_flips_are_the_same_for_the_same_seed() -> None:
    assert coin_flips(20, random.Random("7/ballots/3")) == coin_flips(20, random.Random("7/ballots/3"))


def test_coin_flips_fall_on_both_sides_and_need_not_balance() -> None:
    flips = [tuple(ballot.order for ballot in coin_flips(4, random.Random(seed))) for seed in range(200)]
    unbalanced = sum(orders.count("AB") != 2 for orders in flips)
    assert 90 < unbalanced < 160  # 10 of 16 throws are unbalanced
    assert {orders[0] for orders in flips} == {"AB", "BA"}
