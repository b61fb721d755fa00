"""The rounds of a run that is decided by scores, one row each."""

from collections.abc import Sequence

import pytest
from textual.pilot import Pilot

from spotui.domain.events import (
    CandidateProposed,
    CandidateScored,
    Event,
    PastShown,
    RoundFinished,
    RoundStarted,
)
from spotui.tui.run.history_panel import HistoryPanel
from tests.tui.alone import AloneApp, alone
from tests.tui.piloting import seen, until, until_seen
from tests.tui.run.test_history_panel import row, show
from tests.view.test_picture import OPENED, painted

App = AloneApp[HistoryPanel]


def proposed(number: int, index: int, prompt: str) -> CandidateProposed:
    return CandidateProposed(
        round=number, parent=1, prompt=prompt, modification=f"Change {index}.", index=index, words_changed=12
    )


def scored(number: int, prompt: str, score: float) -> CandidateScored:
    marks = (1.0, 0.0)
    return CandidateScored(
        round=number,
        index=0,
        prompt=prompt,
        split="eval",
        score=score,
        low=score - 0.1,
        high=score + 0.1,
        rows=2,
        marks=marks,
    )


def ended(number: int, prompt: str, score: float, budget: int | None = None) -> RoundFinished:
    return RoundFinished(
        round=number,
        outcome="win" if number > 1 else "seed",
        best=number,
        seconds=75.0,
        prompt_tokens=1500,
        score=score,
        score_interval=(score - 0.1, score + 0.1),
        edit_budget=budget,
        prompt=prompt,
    )


SEED: list[Event] = [OPENED, RoundStarted(round=1), scored(1, "Say.", 0.5), ended(1, "Say.", 0.5)]
SECOND: list[Event] = [
    RoundStarted(round=2, best=1),
    PastShown(round=2, current=1, edit_budget=47),
    proposed(2, 0, "Say it."),
    proposed(2, 1, "Say it now."),
    scored(2, "Say it.", 0.75),
    scored(2, "Say it now.", 0.6),
]


def cells(app: App, number: int) -> list[str]:
    return [cell.strip() for cell in row(app, number) if cell.strip()]


@pytest.mark.parametrize(
    ("width", "second"),
    [
        (
            120,
            ["2*", "win", "75.0", "65.0 to 85.0", "2", "12 of 47", "1.5k", "1:15", "Change 0."],
        ),
        (78, ["2*", "win", "75.0", "65.0 to 85.0", "12 of 47", "1.5k", "Change 0."]),
        (40, ["2*", "win", "75.0", "Change 0."]),
    ],
)
def test_a_row_tells_the_score_and_what_of_the_edit_budget_was_used(
    width: int, second: Sequence[str]
) -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot, painted(*SEED, *SECOND, ended(2, "Say it.", 0.75, 47)))
        await until_seen(pilot, "score", "win")
        assert cells(app, 2) == second
        assert cells(app, 1)[:3] == ["1", "seed", "50.0"]
        assert seen(app).splitlines()[0].split("  ")[0].strip() == "score ▅▆"

    alone(HistoryPanel, journey, (width, 12))


def test_while_it_scores_the_best_so_far_leads() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        picture = painted(*SEED, *SECOND)
        await show(app, pilot, picture)
        await until_seen(pilot, "75.0")
        assert cells(app, 2) == ["2", "…", "75.0", "65.0 to 85.0", "2", "12 of 47", "Change 0."]
        picture.apply(scored(2, "Say it now.", 0.9))
        app.widget.show(picture)
        await until_seen(pilot, "90.0", "Change 1.")

    alone(HistoryPanel, journey, (120, 12))


def test_the_columns_are_those_of_the_run_that_is_shown() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot, painted(*SEED))
        await until_seen(pilot, "interval")
        app.widget.show(painted(OPENED, RoundStarted(round=1)))
        await until(pilot, lambda: "interval" not in seen(app))
        assert "verdict" in seen(app)

    alone(HistoryPanel, journey, (120, 12))
