"""What votes say about the judge."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.verdicts import Choice
from spotui.judging.reliability import Cast, Reliability, flipped, interval, length_ratio, win_rate

LETTERS: dict[str, Choice] = {"w": "win", "l": "loss", "t": "tie", "v": "void"}


def casts(letters: str) -> list[Cast]:
    """Votes in both orders by turns."""
    return [Cast("AB" if place % 2 == 0 else "BA", LETTERS[one]) for place, one in enumerate(letters)]


def record(duels: Sequence[str]) -> Reliability:
    found = Reliability()
    for duel in duels:
        found = found.after(casts(duel))
    return found


@pytest.mark.parametrize(
    ("hits", "of", "expected"),
    # Wilson's intervals as R's binom.wilson gives them.
    [(0, 10, (0.0, 0.2775)), (8, 10, (0.4902, 0.9433)), (5, 10, (0.2366, 0.7634)), (1, 1, (0.2065, 1.0))],
)
def test_intervals_are_wilsons(hits: int, of: int, expected: tuple[float, float]) -> None:
    assert interval(hits, of) == pytest.approx(expected, abs=1e-4)


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_swaps_with_it(case: tuple[int, int]) -> None:
    hits, of = case
    low, high = interval(hits, of)
    assert 0 <= low < high <= 1
    assert low - 1e-12 <= hits / of <= high + 1e-12
    assert interval(of - hits, of) == pytest.approx((1 - high, 1 - low))


def test_the_win_rate_is_of_the_votes_that_chose_a_side() -> None:
    found = win_rate([LETTERS[one] for one in "wwltv"])
    assert found is not None
    assert found.rate == pytest.approx(2 / 3)
    assert found.interval == interval(2, 3)
    assert win_rate(["tie", "void"]) is None


@pytest.mark.parametrize(
    ("votes", "flip"),
    [("ww", False), ("ll", False), ("wl", True), ("lw", True), ("wlww", True), ("wt", None), ("v", None)],
)
def test_a_pair_flips_when_the_orders_disagree(votes: str, flip: bool | None) -> None:
    assert flipped(casts(votes)) is flip


def test_votes_without_an_order_are_no_pair() -> None:
    assert flipped([Cast("", "win"), Cast("", "loss")]) is None


def test_only_the_first_pair_of_a_duel_is_counted() -> None:
    found = record(["wlww", "ww", "wtlv"])
    assert (found.votes, found.voids, found.pairs, found.flips) == (10, 1, 2, 1)
    assert found.flip_rate == 0.5


def test_a_judge_that_decides_by_position_is_told_so_once_it_cannot_be_chance() -> None:
    told = ["by position" in record(["lwl"] * duels).warning for duels in range(8)]
    assert told == [False] * 5 + [True] * 3  # a coin does it five times in five once in 32 runs
    assert record(["lwl"] * 5).warning == (
        "This judge decides by position: in 5 of 5 pairs of votes it chose the answer shown first both times."
    )
    assert "6 of 7 pairs of votes it chose the answer shown last" in record([*["wl"] * 6, "lw"]).warning


def test_a_judge_whose_votes_flip_half_the_time_may_be_guessing() -> None:
    guessing = record(["ww", "wl", "ll", "lw"] * 10)
    assert "may be guessing: in 20 of 40 pairs" in guessing.warning


@pytest.mark.parametrize("duels", [["ww"] * 20, ["ww", "ll", "ll", "wl"] * 10, [], ["vv"] * 9, ["tt"] * 9])
def test_a_judge_that_mostly_agrees_with_itself_is_not_warned_of(duels: list[str]) -> None:
    assert record(duels).warning == ""


@pytest.mark.parametrize(
    ("flips", "fault"),
    [(0, ""), (300_000, ""), (321_000, "guessing"), (499_000, "guessing"), (501_000, "position")],
)
@pytest.mark.parametrize("pairs", [1_030, 10**6])
def test_a_record_may_be_of_a_million_votes(pairs: int, flips: int, fault: str) -> None:
    share = pairs / 10**6
    found = Reliability(pairs * 4, 7, pairs, round(flips * share), 0).after(casts("wwwl"))
    if pairs == 10**6:
        assert found.fault == fault
    assert found.flip_interval is not None
    assert len(found.warning) < 200


def test_lengths_are_compared_by_characters() -> None:
    assert length_ratio(["ab", "cd"], ["abcdef"]) == 1.5
    assert length_ratio(["", ""], ["a"]) is None
