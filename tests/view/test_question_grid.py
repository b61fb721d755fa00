"""One mark a question and round."""

from hypothesis import given

from spotui.domain.events import Event, FinalCheckFinished, VoteCast
from spotui.view.question_grid import CHECK, FILTERS, MEANINGS, QuestionGrid, meaning
from tests.view.at_a_glance import SCORED, VOTED, scored_round, voted_round
from tests.view.test_picture import ANY_EVENTS, painted


def grid_of(*events: Event) -> QuestionGrid:
    grid = QuestionGrid()
    grid.update(painted(*events))
    return grid


def test_rows_are_held_against_the_seed() -> None:
    grid = grid_of(
        SCORED,
        *scored_round(1, "seed", 1, 1, 0, 0.5, 1, 0, 0, None, 1),
        *scored_round(2, "loss", 1, 1, 1, 1, 0, 0, None, 1, 1),
    )
    assert grid.rows == {1: "✓✗~✓✗✗!✓", 2: "=++-=!✓="}
    assert grid.columns == 8
    assert grid.chosen("all") == tuple(range(8))
    assert grid.chosen("changed") == (1, 2, 3)
    assert grid.chosen("errors") == (5, 6)
    assert grid.chosen("never better") == (4, 5)
    assert meaning("+", 2, is_scored=True) == "better than the seed"


def test_questions_are_marked_where_the_judge_or_a_person_says_so() -> None:
    grid = grid_of(
        VOTED,
        *voted_round(1, "seed", 1),
        *voted_round(2, "win", 2, "win", by_question=("win", "tie", "loss")),
        *voted_round(3, "loss", 2, "loss", before=2, by_question=("loss", "win"), error_at=0),
        *voted_round(4, "loss", 2, "loss", before=2),
        VoteCast(round=4, index=1, choice="win", question=2, voter="human"),
        FinalCheckFinished(best=2, outcome="win", headline="", questions=3, rows=("win", "void", "loss")),
    )
    # Answers that are the same word for word need no judge.
    assert grid.rows == {1: "···", 2: "+=-", 3: "!-+", 4: "·=+", CHECK: "+?-"}
    assert meaning("+", 2, is_scored=False) == "better than the best of that time"
    assert meaning("+", CHECK, is_scored=False) == "better than the seed"


def test_only_rounds_that_changed_are_told() -> None:
    picture = painted(VOTED, *voted_round(1, "seed", 1), *voted_round(2, "win", 2, "win"))
    grid = QuestionGrid()
    assert grid.update(picture) == {1, 2}
    assert grid.update(picture) == set()
    for event in voted_round(3, "loss", 2, "loss", before=2):
        picture.apply(event)
    assert grid.update(picture) == {3}


@given(ANY_EVENTS)
def test_any_events_have_a_grid(events: list[Event]) -> None:
    grid = grid_of(*events)
    for row in grid.rows.values():
        assert len(row) == grid.columns
        assert set(row) <= set(MEANINGS)
    for choice in FILTERS:
        assert set(grid.chosen(choice)) <= set(range(grid.columns))
