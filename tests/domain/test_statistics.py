"""Intervals and paired comparisons, against published figures, exact counts and simulation."""

import math
import random
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.statistics import Interval, binomial_tail, compare, noise_floor, score, sign_test, wilson

MARKS = st.lists(st.one_of(st.none(), st.sampled_from([0.0, 0.25, 1.0])), max_size=60)


def near(interval: Interval, low: float, high: float) -> bool:
    return (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("right", "rows", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_newcombes_published_intervals(right: int, rows: int, low: float, high: float) -> None:
    assert near(wilson(right, rows), low, high)


def test_no_row_tells_nothing() -> None:
    assert wilson(0, 0) == Interval(0, 1)
    assert score([]).interval == Interval(0, 1)
    assert score([None]).left_out == 1
    nothing = compare([], [])
    assert (nothing.difference, nothing.p, nothing.interval) == (0, 1, Interval(-1, 1))


def test_a_row_that_errored_is_not_a_wrong_row() -> None:
    found = score([1, None, 1, 0, None])
    assert (found.mean, found.rows, found.left_out) == (2 / 3, 3, 2)
    assert found.interval == wilson(2, 3)
    pairs = compare([1, None, 0, 0], [None, 1, 1, 0])
    assert (pairs.wins, pairs.losses, pairs.ties, pairs.left_out) == (1, 0, 1, 2)
    assert pairs.difference == 0.5


@pytest.mark.parametrize(
    ("wins", "losses", "p"), [(0, 0, 1.0), (5, 5, 1.0), (5, 0, 0.0625), (0, 6, 0.03125), (8, 2, 0.109375)]
)
def test_the_sign_test_is_exact(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == sign_test(losses, wins) == pytest.approx(p, rel=1e-12)


def test_the_sign_test_takes_thousands_of_rows() -> None:
    assert sign_test(5100, 4900) == pytest.approx(0.0466, abs=1e-4)
    assert sign_test(10_000, 0) == 0


@given(st.integers(0, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))), st.integers(1, 99))
def test_the_binomial_tail_is_the_sum_of_its_terms(case: tuple[int, int], percent: int) -> None:
    hits, of = case
    rate = Fraction(percent, 100)
    exact = sum(math.comb(of, many) * rate**many * (1 - rate) ** (of - many) for many in range(hits, of + 1))
    assert binomial_tail(hits, of, percent / 100) == pytest.approx(float(exact), rel=1e-9, abs=1e-12)


@given(
    st.integers(1, 10**6).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))),
    st.floats(0.01, 0.99),
)
def test_a_million_tries_have_a_tail_and_an_interval(case: tuple[int, int], rate: float) -> None:
    hits, of = case
    assert 0 <= binomial_tail(hits + 1, of, rate) <= binomial_tail(hits, of, rate) + 1e-9 <= 1 + 1e-9
    assert 0 <= sign_test(hits, of - hits) <= 1
    interval = wilson(hits, of)
    assert 0 <= interval.low <= hits / of <= interval.high <= 1


def test_a_million_rows_are_scored_and_compared() -> None:
    zeros, ones = [0.0] * 499_500, [1.0] * 500_500
    old, new = score(ones + zeros), compare(zeros + ones, ones + zeros)
    assert old.interval.low < 0.5005 < old.interval.high
    assert (new.wins, new.losses) == (499_500, 499_500)
    assert compare(zeros, [0.25] * len(zeros)).is_settled


def test_paired_marks_of_0_and_1_get_the_interval_of_bonett_and_price() -> None:
    old = [0.0] * 9 + [1.0] * 3 + [1.0] * 36
    new = [1.0] * 9 + [0.0] * 3 + [1.0] * 36
    # p12 = 10/50, p21 = 4/50: 0.12 -+ 1.96 * sqrt((0.2 + 0.08 - 0.0144) / 50)
    found = compare(old, new)
    assert near(found.interval, -0.02285, 0.26285)
    assert not found.is_settled
    assert compare([0.0] * 20, [1.0] * 20).is_settled


def test_the_same_rows_tell_more_than_two_scores_apart() -> None:
    rng = random.Random(3)
    old = [rng.random() for _ in range(100)]
    new = [mark + 0.02 * rng.random() for mark in old]
    assert compare(old, new).is_settled
    assert score(new).interval.low < score(old).interval.high


def test_rows_must_pair() -> None:
    with pytest.raises(ValueError, match="longer"):
        compare([1.0], [1.0, 0.0])


def test_figures_are_the_same_for_the_same_seed() -> None:
    marks = [0.1, 0.5, 0.7] * 20
    assert score(marks, seed=1) == score(marks, seed=1)
    assert score(marks, seed=1).interval != score(marks, seed=2).interval


@given(MARKS, st.integers(0, 3))
def test_a_score_lies_in_its_interval_and_in_range(marks: list[float | None], seed: int) -> None:
    found = score(marks, seed=seed)
    assert 0 <= found.interval.low <= found.interval.high <= 1
    if found.rows:
        assert found.interval.low - 1e-9 <= found.mean <= found.interval.high + 1e-9


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0])), max_size=60))
def test_the_other_side_of_a_comparison_is_its_mirror(pairs: list[tuple[float, float]]) -> None:
    old, new = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    one, other = compare(old, new), compare(new, old)
    assert (one.wins, one.losses, one.p) == (other.losses, other.wins, other.p)
    assert one.difference == -other.difference
    assert -1 <= one.interval.low <= one.interval.high <= 1
    assert one.wins + one.losses + one.ties == len(pairs)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=90))
def test_the_floor_of_right_and_wrong_rows_is_where_the_sign_test_is_sure(differences: list[float]) -> None:
    old, new = [0.5 - one / 2 for one in differences], [0.5 + one / 2 for one in differences]
    found = compare(old, new)
    assert found.is_beyond_floor == (found.difference > 0 and found.p <= 0.05)


@given(st.lists(st.sampled_from([-0.5, -0.25, 0.0, 0.25, 1.0]), max_size=60))
def test_a_floor_does_not_depend_on_who_is_ahead_and_grows_with_what_differs(values: list[float]) -> None:
    floor = noise_floor(values)
    assert floor == pytest.approx(noise_floor([-one for one in values]))
    assert floor > 0
    few = [one for one in values if one]
    if len(few) < 6:  # no difference of so few rows is rare enough
        assert abs(math.fsum(values)) < floor * max(1, len(values))


def test_equally_good_prompts_reach_the_floor_one_time_in_twenty_at_most() -> None:
    rng = random.Random(0)
    for marks in ((0.0, 1.0), (0.0, 0.3, 0.6, 1.0)):
        reached = 0
        for _ in range(1000):
            differences = [rng.choice(marks) - rng.choice(marks) for _ in range(48)]
            reached += abs(math.fsum(differences)) / 48 >= noise_floor(differences)
        assert reached <= 65


def test_more_confidence_is_a_wider_interval() -> None:
    for marks in ([0.0, 1.0] * 20, [0.2, 0.9] * 20, [0.2, 0.9] * 200):
        usual, sure = score(marks).interval, score(marks, confidence=0.99).interval
        assert sure.low < usual.low
        assert usual.high < sure.high


@pytest.mark.parametrize("rows", [30, 96, 400])
@pytest.mark.parametrize(
    ("draw", "truth"),
    [(lambda rng: rng.betavariate(2, 3), 0.4), (lambda rng: float(rng.random() < 0.85), 0.85)],
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    rows: int, draw: Callable[[random.Random], float], truth: float
) -> None:
    rng = random.Random(rows)
    held = sum(truth in score([draw(rng) for _ in range(rows)]).interval for _ in range(60))
    assert 0.88 <= held / 60 <= 0.995
