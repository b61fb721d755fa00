"""When a duel is decided, and how it ends."""

from collections.abc import Sequence
from itertools import product
from typing import get_args

import pytest

from spotui.judging.tally import Tally, compare_likelihoods
from spotui.judging.votes import Choice

CHOICES: tuple[Choice, ...] = get_args(Choice)


def tally(ballots: int, choices: Sequence[Choice], humans: Sequence[Choice] = ()) -> Tally:
    counted = Tally(ballots)
    for choice in choices:
        counted.add(choice)
    for choice in humans:
        counted.add_extra(choice)
    return counted


@pytest.mark.parametrize("humans", [(), ("win",), ("loss",), ("win", "tie")])
@pytest.mark.parametrize("ballots", [1, 2, 3, 4])
def test_it_is_decided_exactly_when_no_votes_still_out_can_change_who_is_kept(
    ballots: int, humans: tuple[Choice, ...]
) -> None:
    for cast in range(ballots + 1):
        for choices in product(CHOICES, repeat=cast):
            ends = {
                tally(ballots, (*choices, *rest), humans).verdict == "win"
                for rest in product(CHOICES, repeat=ballots - cast)
            }
            assert tally(ballots, choices, humans).decided == (len(ends) == 1), choices


@pytest.mark.parametrize(
    ("choices", "verdict"),
    [
        ("wwww", "win"),
        ("wwwl", "win"),
        ("wwll", "tie"),
        ("wwtt", "tie"),  # half is no majority
        ("wwlt", "tie"),
        ("wwv", "tie"),
        ("wltt", "tie"),
        ("wlll", "loss"),
        ("lttt", "loss"),
        ("tttt", "tie"),
        ("vvvv", "void"),
        ("vvvt", "tie"),
        ("wvvv", "tie"),  # one vote that was left over wins nothing
        ("lvvv", "loss"),
    ],
)
def test_the_candidate_needs_more_than_half_of_all_ballots(choices: str, verdict: str) -> None:
    names: dict[str, Choice] = {"w": "win", "l": "loss", "t": "tie", "v": "void"}
    assert tally(4, [names[letter] for letter in choices]).verdict == verdict


def test_a_persons_vote_counts_on_top_of_the_ballots() -> None:
    assert tally(4, ("win", "win", "loss", "loss"), ("win",)).verdict == "win"
    assert tally(4, ("win", "win", "win", "loss"), ("loss", "loss")).verdict == "tie"


def test_counting_in_another_order_keeps_the_same_side() -> None:
    for choices in product(CHOICES, repeat=4):
        assert tally(4, choices).verdict == tally(4, choices[::-1]).verdict


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        ((-1.0, -2.0), "tie"),
        ((-0.9, -1.9), "win"),
        ((-1.1, -2.1), "loss"),
        ((-0.99, -1.99), "tie"),
        ((-0.5, -2.45), "win"),
        ((-0.5, -2.49), "tie"),
    ],
)
def test_likelihoods_differ_by_their_mean_and_by_more_than_the_margin(
    candidate: tuple[float, float], verdict: str
) -> None:
    assert compare_likelihoods((-1.0, -2.0), candidate, margin=0.02) == verdict


def test_likelihoods_of_different_questions_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="shorter"):
        compare_likelihoods((-1.0, -2.0), (-1.0,), margin=0.02)
