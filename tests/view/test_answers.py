"""Answers beside each other, as the events of a run leave them."""

import pytest
from msgspec.structs import replace

from spotui.domain.events import (
    Answered,
    CallRetried,
    CallStarted,
    Event,
    RoundFinished,
    RoundStarted,
    VoteCast,
)
from spotui.domain.records import CallKey
from spotui.view.answers import Answers, Standard, newest_with_answers, read_answers
from spotui.view.picture import Picture
from tests.view.test_picture import OPENED, painted

QUESTIONS = ("How deep?", "How wide?")
STANDARD = Standard("Be exact.", ("11 km", ""))
BEGUN = replace(OPENED, questions=QUESTIONS)


def answered(number: int, *indices: int) -> list[Event]:
    return [
        Answered(round=number, index=index, question=QUESTIONS[index], answer=f"{number}/{index}")
        for index in indices
    ]


SEED = [
    BEGUN,
    RoundStarted(round=1),
    *answered(1, 0, 1),
    RoundFinished(round=1, outcome="seed", best=1),
    RoundStarted(round=2, best=1),
]


def read(picture: Picture, number: int, *, now: float = 100.0, is_attached: bool = True) -> Answers:
    return read_answers(picture, number, STANDARD, now=now, is_attached=is_attached)


def test_the_best_s_answers_stand_left_of_the_candidate_s_with_what_a_good_one_is() -> None:
    found = read(painted(*SEED, *answered(2, 1, 0)), 2)
    assert found.names == ("the seed, the best", "round 2, candidate")
    assert found.requirements == "Be exact."
    assert [(pair.number, pair.question, pair.reference) for pair in found.pairs] == [
        (1, "How deep?", "11 km"),
        (2, "How wide?", ""),
    ]
    assert [[one.text for one in pair.answers] for pair in found.pairs] == [["1/0", "2/0"], ["1/1", "2/1"]]
    assert found.can_be_compared


def test_the_seed_has_one_set_of_answers_and_nothing_to_compare() -> None:
    found = read(painted(*SEED), 1)
    assert (found.names, [len(pair.answers) for pair in found.pairs]) == (("the seed",), [1, 1])
    assert not found.can_be_compared
    assert "From round 2 on" in found.note


def test_an_answer_under_way_says_for_how_long_and_how_much_there_is() -> None:
    key = CallKey(2, "execute", 1)
    picture = painted(*SEED, *answered(2, 0), CallStarted(key=key, model="m", at=88.0))
    picture.calls[key].characters = 1234
    found = read(picture, 2)
    assert found.pairs[1].answers[1].text == "Answering for 12 s, 1,234 characters so far …"
    assert not found.can_be_compared
    picture.apply(CallRetried(key=key, error="Too many.", kind="RateLimited", tries=1, wait=30.0, at=90.0))
    assert read(picture, 2).pairs[1].answers[1].text == "Too many. Asked again in 20 s."


def test_a_second_attempt_is_the_same_answer() -> None:
    picture = painted(*SEED, CallStarted(key=CallKey(2, "execute", 0, attempt=2), model="m", at=99.0))
    assert read(picture, 2).pairs[0].answers[1].text == "Answering for 1 s …"


@pytest.mark.parametrize(("is_attached", "says"), [(True, "not been asked yet"), (False, "is no answer")])
def test_an_answer_that_is_missing_says_whether_it_will_come(is_attached: bool, says: str) -> None:
    assert says in read(painted(*SEED), 2, is_attached=is_attached).pairs[0].answers[1].text


def test_votes_say_which_answers_were_a_and_b() -> None:
    votes = [
        VoteCast(round=2, index=0, choice="win", order="AB", reason="B is exact."),
        VoteCast(round=2, index=1, choice="loss", order="BA"),
        VoteCast(round=2, index=0, choice="tie", voter="human"),
    ]
    out = CallStarted(key=CallKey(2, "vote", 2), model="m", at=99.0)
    found = read(painted(*SEED, *answered(2, 0, 1), *votes, out), 2)
    assert [(one.title, one.facts) for one in found.votes] == [
        ("vote 1: win", "A is the best's, B the candidate's"),
        ("vote 2: loss", "A is the candidate's, B the best's"),
        ("your vote: tie", ""),
    ]
    assert found.votes[0].reason == "B is exact."
    assert found.verdict == "1:1, 1 tie  1 vote under way"


@pytest.mark.parametrize("is_swapped", [False, True])
def test_blind_answers_tell_nothing_of_whose_they_are(is_swapped: bool) -> None:
    vote = VoteCast(round=2, index=0, choice="win", order="AB", reason="B is exact.")
    end = RoundFinished(round=2, outcome="win", best=2, note="a note")
    found = read(painted(*SEED, *answered(2, 0, 1), vote, end), 2).blind(is_swapped=is_swapped)
    assert (found.names, found.verdict, found.votes, found.note) == (("Left", "Right"), "", (), "")
    texts = [one.text for one in found.pairs[0].answers]
    assert texts == (["2/0", "1/0"] if is_swapped else ["1/0", "2/0"])


def test_a_void_round_says_why_and_shows_no_empty_table() -> None:
    end = RoundFinished(round=2, outcome="void", best=1, note="the optimizer made no usable proposal")
    found = read(painted(*SEED, end), 2)
    assert (found.verdict, found.pairs) == ("void", ())
    assert found.note == "Round 2 is void: the optimizer made no usable proposal."


def test_before_the_first_round_it_says_what_to_do() -> None:
    assert "appear here as they come" in read(painted(BEGUN), 0).note
    assert "let it go on" in read(painted(BEGUN), 0, is_attached=False).note


def test_the_newest_round_with_answers_is_shown_until_the_next_one_has_some() -> None:
    picture = painted(BEGUN)
    assert newest_with_answers(picture) == 0
    picture.apply(RoundStarted(round=1))
    assert newest_with_answers(picture) == 1
    picture = painted(*SEED)
    assert newest_with_answers(picture) == 1
    picture.apply(answered(2, 0)[0])
    assert newest_with_answers(picture) == 2
