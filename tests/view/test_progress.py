"""What each candidate was worth against the calls spent."""

from hypothesis import given

from spotui.domain.events import (
    Event,
    RoundFinished,
    RoundStarted,
    SpendingChanged,
    VerdictOverridden,
    VoteCast,
)
from spotui.view.progress import Progress
from tests.view.at_a_glance import SCORED, VOTED, scored_round, voted_round
from tests.view.test_picture import ANY_EVENTS, painted

SEED = scored_round(1, "seed", 1, *[1, 0] * 4)


def progress_of(*events: Event) -> Progress:
    progress = Progress()
    progress.update(painted(*events))
    return progress


def test_scores_stand_at_the_calls_spent_by_then_and_the_best_is_a_line() -> None:
    found = progress_of(
        SCORED, *SEED, *scored_round(2, "loss", 1, *[0] * 8), *scored_round(3, "win", 3, *[1] * 8)
    )
    assert [(one.round, one.calls, one.value, one.outcome) for one in found.trials] == [
        (1, 10.0, 0.5, "seed"),
        (2, 20.0, 0.0, "loss"),
        (3, 30.0, 1.0, "win"),
    ]
    assert found.best == [(10.0, 0.5), (30.0, 1.0)]
    assert [(one.seconds, one.calls) for one in found.spent] == [(0, 0), (10, 10), (20, 20), (30, 30)]
    assert found.is_scored
    assert found.is_priced


def test_votes_are_win_rates_with_intervals_and_the_line_begins_at_one_half() -> None:
    refused = [RoundStarted(round=3, best=2), RoundFinished(round=3, outcome="refused", best=2, calls=2)]
    spent = SpendingChanged(calls=20, prompt_tokens=5000, completion_tokens=0, cost_usd=0.0, seconds=90.0)
    rounds = [VOTED, *voted_round(1, "seed", 1), *voted_round(2, "win", 2, "win", "win", "loss"), *refused]
    found = progress_of(*rounds, spent)
    win, without = found.trials
    assert (win.calls, round(win.value or 0, 2), win.outcome) == (12.0, 0.67, "win")
    assert win.low is not None
    assert win.high is not None
    assert win.low < 0.67 < win.high
    assert (without.calls, without.value, without.outcome) == (14.0, None, "refused")
    assert found.best == [(6.0, 0.5), (12.0, win.value)]
    assert found.spent[-1] == (90.0, 20, 0.0, 5000)
    overridden = progress_of(*rounds, VerdictOverridden(round=2, outcome="loss", before_round=4))
    assert overridden.best == [(6.0, 0.5)]


def test_candidates_of_one_round_share_its_calls() -> None:
    votes = [
        VoteCast(round=2, index=0, choice="win", candidate=1),
        VoteCast(round=2, index=0, choice="loss", candidate=2),
    ]
    end = RoundFinished(round=2, outcome="win", best=2, calls=8, wins=1, candidate=1)
    found = progress_of(VOTED, *voted_round(1, "seed", 1), RoundStarted(round=2, best=1), *votes, end)
    assert [(one.calls, one.value, one.outcome) for one in found.trials] == [
        (10.0, 1.0, "win"),
        (14.0, 0.0, "loss"),
    ]


def test_nothing_is_done_for_rounds_that_are_as_they_were() -> None:
    picture = painted(SCORED, *SEED)
    progress = Progress()
    assert progress.update(picture)
    trials = progress.trials
    assert not progress.update(picture)
    assert progress.trials is trials


@given(ANY_EVENTS)
def test_any_events_can_be_drawn(events: list[Event]) -> None:
    progress_of(*events)
