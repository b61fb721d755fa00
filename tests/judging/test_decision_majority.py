"""When a majority of fixed ballots is decided, and how it ends."""

from collections.abc import Sequence
from itertools import product
from typing import get_args

import pytest

from spotui.domain.verdicts import Choice, Verdict
from spotui.judging.decision import Majority, Weighed
from spotui.judging.votes import alternating

CHOICES: tuple[Choice, ...] = get_args(Choice)
LETTERS: dict[str, Choice] = {"w": "win", "l": "loss", "t": "tie", "v": "void"}


def verdict(choices: Sequence[Choice], people: Sequence[Choice] = (), ballots: int = 4) -> Verdict:
    return Majority(alternating(ballots)).verdict(dict(enumerate(choices)), people)


@pytest.mark.parametrize("people", [(), ("win",), ("loss",), ("win", "tie")])
@pytest.mark.parametrize("ballots", [1, 2, 3, 4])
def test_it_is_decided_exactly_when_no_votes_still_out_can_change_who_is_kept(
    ballots: int, people: tuple[Choice, ...]
) -> None:
    rule = Majority(alternating(ballots))
    for cast in range(ballots + 1):
        for choices in product(CHOICES, repeat=cast):
            ends = {
                verdict((*choices, *rest), people, ballots) == "win"
                for rest in product(CHOICES, repeat=ballots - cast)
            }
            votes = dict(enumerate(choices))
            assert rule.is_decided(votes, people) == (len(ends) == 1), choices
            missing = [] if len(ends) == 1 else list(range(cast, ballots))
            assert [ballot.index for ballot in rule.wanted(votes, people)] == missing


@pytest.mark.parametrize(
    ("choices", "end"),
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
def test_the_candidate_needs_more_than_half_of_all_ballots(choices: str, end: str) -> None:
    assert verdict([LETTERS[letter] for letter in choices]) == end


def test_a_persons_vote_counts_on_top_of_the_ballots() -> None:
    assert verdict(("win", "win", "loss", "loss"), ("win",)) == "win"
    assert verdict(("win", "win", "win", "loss"), ("loss", "loss")) == "tie"


def test_votes_in_another_order_keep_the_same_side() -> None:
    for choices in product(CHOICES, repeat=4):
        assert verdict(choices) == verdict(choices[::-1])


@pytest.mark.parametrize(
    ("measured", "people", "end"),
    [
        ("w", "", "win"),
        ("t", "", "tie"),
        ("l", "w", "tie"),
        ("l", "ww", "win"),
        ("w", "ll", "loss"),
        ("t", "w", "tie"),
    ],
)
def test_a_measured_verdict_is_one_ballot_beside_peoples(measured: str, people: str, end: str) -> None:
    rule = Weighed(LETTERS[measured])
    assert rule.is_decided({}, ())
    assert not rule.wanted({}, ())
    assert rule.verdict({}, [LETTERS[one] for one in people]) == end
