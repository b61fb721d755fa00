"""The tree of candidates: straight down from the seed to the best, losers folded."""

from hypothesis import given

from spotui.domain.events import Event, RoundStarted
from spotui.view.lineage import lineage
from tests.view.at_a_glance import VOTED, voted_round
from tests.view.test_picture import ANY_EVENTS, painted

RUN = (
    VOTED,
    *voted_round(1, "seed", 1),
    *voted_round(2, "loss", 1),
    *voted_round(3, "win", 3),
    *voted_round(4, "loss", 3, before=3),
    *voted_round(5, "loss", 3, before=3),
    *voted_round(6, "win", 6, before=3, parent=2),
)


def told(*events: Event, unfolded: tuple[int, ...] = ()) -> list[str]:
    return [one.text for one in lineage(painted(*events), unfolded)]


def test_losers_are_folded_and_the_best_is_at_the_end_of_a_straight_line() -> None:
    # Round 6 reworked the loser of round 2, which is a step of the line for that.
    assert told(*RUN) == ["● 1", "│ ○ 3", "│ │ ├╴rounds 4 and 5", "● 2", "● 6"]
    assert told(*RUN, unfolded=(3,)) == [
        "● 1",
        "│ ○ 3",
        "│ │ ├╴rounds 4 and 5",
        "│ │ ○ 4",
        "│ │ ○ 5",
        "● 2",
        "● 6",
    ]


def test_a_round_under_way_is_shown() -> None:
    assert told(*RUN, RoundStarted(round=7, best=6))[-2:] == ["● 6", "│ ○ 7"]
    assert told() == []


@given(ANY_EVENTS)
def test_any_events_have_a_tree_in_which_each_round_is_once(events: list[Event]) -> None:
    picture = painted(*events)
    rounds = [
        number
        for one in lineage(picture, picture.rounds.keys())
        for number in ([] if one.folded else [one.round])
    ]
    assert len(rounds) == len(set(rounds))
    if 1 in picture.rounds:
        assert set(rounds) == {number for number in picture.rounds if number >= 1}
