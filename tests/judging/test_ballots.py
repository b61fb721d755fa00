"""Which orders a judge is shown."""

import random
from collections import Counter

import pytest

from spotui.judging.ballots import balanced, coin_flips


@pytest.mark.parametrize("pairs", [1, 2, 5])
def test_balanced_ballots_show_each_side_first_as_often_as_the_other(pairs: int) -> None:
    ballots = balanced(pairs)
    assert [ballot.index for ballot in ballots] == list(range(2 * pairs))
    assert Counter(ballot.order for ballot in ballots) == {"AB": pairs, "BA": pairs}


def test_coin_flips_are_the_same_for_the_same_seed() -> None:
    assert coin_flips(20, random.Random("7/ballots/3")) == coin_flips(20, random.Random("7/ballots/3"))


def test_coin_flips_fall_on_both_sides_and_need_not_balance() -> None:
    flips = [tuple(ballot.order for ballot in coin_flips(4, random.Random(seed))) for seed in range(200)]
    unbalanced = sum(orders.count("AB") != 2 for orders in flips)
    assert 90 < unbalanced < 160  # 10 of 16 throws are unbalanced
    assert {orders[0] for orders in flips} == {"AB", "BA"}
