"""Bradley-Terry strengths against values that are known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.judging.ranking import strengths

# American League East, 1987 (Agresti, Categorical Data Analysis, section 10.6): the row beat the column.
TEAMS = ("Baltimore", "Cleveland", "Boston", "New York", "Toronto", "Detroit", "Milwaukee")
WON = (
    (0, 7, 1, 3, 1, 4, 2),
    (6, 0, 6, 6, 5, 4, 4),
    (12, 7, 0, 7, 6, 2, 6),
    (10, 7, 6, 0, 6, 8, 6),
    (12, 8, 7, 7, 0, 6, 4),
    (9, 9, 11, 5, 7, 0, 6),
    (11, 9, 7, 7, 9, 7, 0),
)
KNOWN = (0.0, 0.684, 1.107, 1.248, 1.294, 1.436, 1.581)


def test_the_strengths_of_a_baseball_season_are_those_of_the_textbook() -> None:
    wins = {(one, other): float(WON[one][other]) for one in range(7) for other in range(7) if one != other}
    assert list(strengths(wins, prior=0).values()) == pytest.approx(KNOWN, abs=0.002)


def test_two_alone_differ_by_the_log_of_their_wins() -> None:
    assert strengths({(1, 4): 1.0, (4, 1): 3.0}, prior=0) == pytest.approx({1: 0.0, 4: math.log(3)})
    assert strengths({(1, 4): 0.0, (4, 1): 3.0}) == pytest.approx({1: 0.0, 4: math.log(3.5 / 0.5)})


def test_strengths_along_a_chain_add_up() -> None:
    found = strengths({(1, 2): 1.0, (2, 1): 3.0, (2, 5): 2.0, (5, 2): 4.0}, prior=0)
    assert found == pytest.approx({1: 0.0, 2: math.log(3), 5: math.log(3) + math.log(2)})


def test_who_never_lost_is_not_infinitely_strong_unless_one_insists() -> None:
    assert math.isfinite(strengths({(2, 1): 3.0})[2])
    with pytest.raises(ValueError, match="no finite maximum"):
        strengths({(2, 1): 3.0}, prior=0)


def test_nobody_compared_is_nobody_ranked() -> None:
    assert strengths({}) == {}


@given(
    st.dictionaries(st.tuples(st.integers(1, 5), st.integers(6, 9)), st.integers(1, 9).map(float), min_size=1)
)
def test_no_other_strengths_make_the_wins_more_likely(wins: dict[tuple[int, int], float]) -> None:
    def likelihood(of: dict[int, float]) -> float:
        pairs = {*wins, *((other, one) for one, other in wins)}
        return sum(
            (wins.get((one, other), 0.0) + 0.5) * -math.log1p(math.exp(of[other] - of[one]))
            for one, other in pairs
        )

    best = strengths(wins)
    for one in best:
        for step in (-0.01, 0.01):
            assert likelihood({**best, one: best[one] + step}) <= likelihood(best) + 1e-9


@pytest.mark.parametrize("others", [1, 2])
def test_thousands_of_prompts_that_each_beat_the_one_before_are_ranked(others: int) -> None:
    wins = {(n + step, n): 250_000.0 for n in range(1, 3000) for step in range(1, others + 1)}
    wins |= {(lost, won): 10.0 * others for won, lost in wins}
    found = strengths(wins)
    assert list(found) == sorted(found, key=found.__getitem__)
    if others == 1:
        assert found[1000] == pytest.approx(999 * math.log(250_000.5 / 10.5))


def test_parts_that_were_never_compared_are_each_ranked() -> None:
    found = strengths({(2, 1): 3.0, (1, 2): 1.0, (4, 3): 1.0, (3, 4): 1.0}, prior=0)
    assert found == pytest.approx({1: 0.0, 2: math.log(3), 3: found[3], 4: found[3]})
