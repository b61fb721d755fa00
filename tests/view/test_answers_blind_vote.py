"""A vote without knowing whose answers are whose."""

import pytest

from spotui.domain.events import (
    CommandRefused,
    RoundFinished,
    RunStopped,
    VerdictOverridden,
    VoteCast,
)
from spotui.view.answers import BlindVote, Side, is_open, what_became_of_it, what_it_was
from tests.view.test_answers import SEED, answered
from tests.view.test_picture import painted

JUDGED = [*SEED, *answered(2, 0, 1)]
LOST = RoundFinished(round=2, outcome="loss", best=1)


@pytest.mark.parametrize(
    ("side", "is_swapped", "choice", "preferred"),
    [
        ("right", False, "win", "You chose right: that was the candidate. The other was the best."),
        ("left", False, "loss", "You chose left: that was the best. The other was the candidate."),
        ("right", True, "loss", "You chose right: that was the best. The other was the candidate."),
        ("left", True, "win", "You chose left: that was the candidate. The other was the best."),
        ("tie", False, "tie", "You found them equal. Left was the best; right was the candidate."),
        ("tie", True, "tie", "You found them equal. Left was the candidate; right was the best."),
    ],
)
def test_what_is_sent_is_what_was_chosen(side: Side, is_swapped: bool, choice: str, preferred: str) -> None:
    vote = BlindVote(2, side, is_swapped)
    assert vote.choice == choice
    assert what_it_was(vote, "the best", "the candidate") == preferred


def test_a_vote_can_count_from_the_answers_to_the_verdict() -> None:
    picture = painted(*JUDGED)
    assert is_open(picture, 2)
    assert not is_open(picture, 1)
    picture.apply(LOST)
    assert not is_open(picture, 2)


def test_a_run_that_has_stopped_counts_nothing() -> None:
    end = RunStopped(reason="stopped", cause="", best=1, improved=False, rounds=1, prompt="Say.")
    assert not is_open(painted(*JUDGED, end), 2)


def test_a_vote_is_on_its_way_until_the_run_has_counted_it() -> None:
    vote = BlindVote(2, "right", is_swapped=False, sent_at=50.0)
    picture = painted(*JUDGED, VoteCast(round=2, index=0, choice="win", voter="human", at=20.0))
    assert "on its way" in what_became_of_it(vote, picture)
    picture.apply(VoteCast(round=2, index=1, choice="win", voter="human", at=51.0))
    assert "is counted" in what_became_of_it(vote, picture)


def test_a_vote_that_came_too_late_is_held_against_the_verdict() -> None:
    vote = BlindVote(2, "right", is_swapped=False, sent_at=50.0)
    picture = painted(
        *JUDGED, CommandRefused(command="vote", why="Round 2 is not being judged now.", at=51.0)
    )
    assert "cannot be counted" in what_became_of_it(vote, picture)
    picture.apply(LOST)
    assert "keeps the other prompt" in what_became_of_it(vote, picture)
    picture.apply(VerdictOverridden(round=2, outcome="win", before_round=3))
    assert "The verdict is win (you), which keeps the same prompt." in what_became_of_it(vote, picture)


@pytest.mark.parametrize("side", ["left", "tie"])
def test_the_best_is_kept_by_a_vote_for_it_and_by_a_tie(side: Side) -> None:
    vote = BlindVote(2, side, is_swapped=False)
    assert vote.agrees(painted(*JUDGED, LOST).rounds[2])
    assert vote.verdict == "loss"
    assert not vote.agrees(painted(*JUDGED, RoundFinished(round=2, outcome="win", best=2)).rounds[2])
