"""Sequential rules: they stop when they can, never by position, and whatever the order votes arrive in."""

import random
from collections.abc import Sequence
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.verdicts import Choice, Verdict
from spotui.judging.decision import AT_ONCE, BALANCED, THOROUGH, Boundaries, Sequential

CHOICES: tuple[Choice, ...] = get_args(Choice)
LETTERS: dict[str, Choice] = {"w": "win", "l": "loss", "t": "tie", "v": "void"}
RULES = pytest.mark.parametrize("boundaries", [BALANCED, THOROUGH], ids=["balanced", "thorough"])
rules = st.sampled_from([BALANCED, THOROUGH])
choices = st.sampled_from(CHOICES)
votes_of_all = st.lists(choices, min_size=THOROUGH.cap, max_size=THOROUGH.cap)
votes_of_people = st.lists(st.sampled_from(CHOICES[:3]), max_size=3)


def letters(text: str) -> list[Choice]:
    return [LETTERS[letter] for letter in text]


def hold(rule: Sequential, votes: Sequence[Choice], people: Sequence[Choice] = ()) -> tuple[Verdict, int]:
    """A duel in which these votes are cast: how it ends, and how many of them were asked for."""
    cast: dict[int, Choice] = {}
    while wanted := rule.wanted(cast, people):
        cast.update({ballot.index: votes[ballot.index] for ballot in wanted})
    return rule.verdict(cast, people), len(cast)


@pytest.mark.parametrize(
    ("votes", "end", "asked"),
    [
        ("www", "win", 3),
        ("wwlw", "win", 4),
        ("lwww", "win", 4),
        ("ll", "loss", 3),
        ("wll", "loss", 3),
        ("wwll", "undecided", 4),
        ("wwlt", "undecided", 4),
        ("wwtt", "win", 4),  # two for it, one in either order, and nothing against it
        ("wtwt", "undecided", 4),  # it only won where it was shown last
        ("twtw", "undecided", 3),
        ("wvwv", "undecided", 4),
        ("tt", "tie", 3),
        ("tl", "loss", 3),
        ("wlt", "undecided", 3),
        ("vvvv", "void", 3),
        ("vvt", "tie", 3),
    ],
)
def test_the_default_takes_three_of_four_and_ties_use_up_ballots(votes: str, end: str, asked: int) -> None:
    assert hold(Sequential(BALANCED), letters(votes.ljust(4, "t"))) == (end, asked)


@RULES
@given(preferred=st.sampled_from("AB"), blanks=st.lists(st.sampled_from([None, "tie", "void"]), min_size=13))
def test_a_judge_that_only_has_a_taste_for_a_position_never_makes_a_candidate_win(
    boundaries: Boundaries, preferred: str, blanks: list[Choice | None]
) -> None:
    rule = Sequential(boundaries)
    by_position: list[Choice] = [
        blank or ("win" if (preferred == "B") == (ballot.order == "AB") else "loss")
        for blank, ballot in zip(blanks, rule.ballots, strict=False)
    ]
    assert hold(rule, by_position)[0] != "win"


@RULES
def test_what_is_asked_at_once_changes_the_number_of_votes_and_not_the_end(boundaries: Boundaries) -> None:
    careful, default, hasty = (Sequential(boundaries, at_once=share) for share in (1.0, AT_ONCE, 0.0))
    random_votes = random.Random(1)
    for _ in range(500):
        votes = random_votes.choices(CHOICES[:3], weights=(4, 3, 1), k=boundaries.cap)
        ends, asked = zip(*(hold(rule, votes) for rule in (careful, default, hasty)), strict=True)
        assert len(set(ends)) == 1
        one_by_one: dict[int, Choice] = {}
        while not careful.is_decided(one_by_one, ()):
            one_by_one[len(one_by_one)] = votes[len(one_by_one)]
        assert asked[0] == len(one_by_one) <= asked[1] <= asked[2] == boundaries.cap


@given(rules, votes_of_all, votes_of_people, st.randoms(use_true_random=False))
def test_the_order_in_which_votes_arrive_makes_no_difference(
    boundaries: Boundaries, votes: list[Choice], people: list[Choice], chance: random.Random
) -> None:
    rule = Sequential(boundaries)
    cast: dict[int, Choice] = {}
    asked: set[int] = set()
    while wanted := rule.wanted(cast, people):
        asked |= {ballot.index for ballot in wanted}
        arrived = chance.choice(list(wanted)).index
        cast[arrived] = votes[arrived]
    end = rule.verdict(cast, people)
    kept = dict(chance.sample(list(cast.items()), chance.randint(0, len(cast))))  # what a crash left
    while wanted := rule.wanted(kept, people):
        kept.update({ballot.index: votes[ballot.index] for ballot in wanted})
    assert rule.verdict(kept, people) == end
    assert kept == cast
    assert kept.keys() == asked


@given(rules, votes_of_all, votes_of_people)
def test_once_decided_no_vote_that_is_missing_changes_who_is_kept(
    boundaries: Boundaries, votes: list[Choice], people: list[Choice]
) -> None:
    rule = Sequential(boundaries)
    for known in range(boundaries.cap):
        some = dict(enumerate(votes[:known]))
        if rule.is_decided(some, people):
            wins = rule.verdict(some, people) == "win"
            whole = dict(enumerate(votes[: boundaries.cap]))
            assert (rule.verdict(whole, people) == "win") == wins


@given(rules, votes_of_all)
def test_more_votes_for_a_candidate_never_cost_it_the_default(
    boundaries: Boundaries, votes: list[Choice]
) -> None:
    rule = Sequential(BALANCED)
    if hold(rule, votes)[0] == "win":
        for place, choice in enumerate(votes):
            better: Choice = "win" if choice != "win" else choice
            assert hold(rule, [*votes[:place], better, *votes[place + 1 :]])[0] == "win"


@pytest.mark.parametrize(
    ("votes", "people", "end"),
    [
        ("wwll", "w", "win"),
        ("wwll", "l", "loss"),
        ("wwll", "t", "undecided"),
        ("lwlw", "w", "win"),  # the judge is of two minds, so the person decides
        ("llll", "w", "loss"),
        ("llww", "w", "win"),
        ("wwww", "l", "win"),
        ("wwwl", "l", "undecided"),
        ("wtwt", "t", "undecided"),
        ("twtw", "wl", "undecided"),  # people who cancel out vouch for no order
        ("tttt", "w", "win"),
    ],
)
def test_a_persons_vote_is_worth_one_in_either_order(votes: str, people: str, end: str) -> None:
    assert hold(Sequential(BALANCED), letters(votes.ljust(4, "t")), letters(people))[0] == end


def test_people_can_settle_a_duel_before_the_judge_has_said_anything() -> None:
    rule = Sequential(BALANCED)
    assert rule.is_decided({}, letters("lll"))
    assert rule.verdict({}, letters("lll")) == "loss"
    assert rule.is_decided({}, letters("www"))
    assert rule.verdict({}, letters("www")) == "win"
    assert not rule.is_decided({}, letters("l"))


def test_the_first_ballots_go_out_together_and_later_ones_as_they_are_needed() -> None:
    rule = Sequential(BALANCED)
    waves = [rule.wanted(dict(enumerate(letters(known))), ()) for known in ("", "ww", "wwl", "wwlw", "ll")]
    assert [[ballot.index for ballot in wave] for wave in waves] == [[0, 1, 2], [2], [3], [], [2]]


@RULES
def test_every_duel_ends_by_the_cap(boundaries: Boundaries) -> None:
    rule = Sequential(boundaries)
    for pattern in product(CHOICES, repeat=4):
        votes = [pattern[place % 4] for place in range(boundaries.cap)]
        assert hold(rule, votes)[1] <= boundaries.cap
