"""The panels that show a run at a glance, and the keys that lead from them to what is behind."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from spotui.domain.answer_cost import AnswerCost
from spotui.domain.events import CandidateScored, Event
from spotui.domain.verdicts import Outcome
from spotui.tui.app import SpotuiApp
from spotui.tui.run.best_panel import BestPanel
from spotui.tui.run.following import RoundOpened, RoundPointed
from spotui.tui.run.headline import RunHeadline
from spotui.tui.run.history_panel import HistoryPanel
from spotui.tui.run.lineage_panel import LineagePanel
from spotui.tui.run.progress_panel import ProgressPanel
from spotui.tui.run.questions_panel import GridView, QuestionsPanel
from spotui.tui.run.reasons_panel import ReasonsPanel
from spotui.workspace.projects import Workspace
from tests.tui.alone import AloneApp, alone
from tests.tui.piloting import SMALL, drive, seen, until, until_seen
from tests.view.at_a_glance import SCORED, VOTED, scored_round, voted_round
from tests.view.test_headline import NINE_WINS
from tests.view.test_picture import painted

RUN: list[Event] = [
    VOTED,
    *voted_round(1, "seed", 1),
    *voted_round(2, "loss", 1, "loss", "loss", reason="It lacks a concrete example for each claim."),
    *voted_round(3, "win", 3, *NINE_WINS, by_question=("win", "tie", "win")),
]
ROWS: list[Event] = [
    SCORED,
    *scored_round(1, "seed", 1, *[0] * 20, *[1, 0] * 10),
    *scored_round(2, "loss", 1, *[0] * 40),
    *scored_round(3, "win", 3, *[1] * 40),
]


class Listening(AloneApp[Widget]):
    """Hears what the panel tells."""

    def __init__(self, widget: Widget) -> None:
        super().__init__(widget)
        self.heard: list[str] = []

    def on_round_pointed(self, message: RoundPointed) -> None:
        self.heard.append(f"pointed at {message.number}")

    def on_round_opened(self, message: RoundOpened) -> None:
        question = "" if message.question is None else f", {message.question}"
        self.heard.append(f"opened {message.number}{question}")


def look(
    make: Callable[[], Widget], events: list[Event], size: tuple[int, int], *keys: str
) -> tuple[str, list[str]]:
    """What a panel shows after some keys, and what it told."""
    shown: list[str] = []
    heard: list[str] = []

    async def journey(app: AloneApp[Widget], pilot: Pilot[None]) -> None:
        assert isinstance(app, Listening)
        app.widget.show(painted(*events))  # type: ignore[attr-defined]
        app.action_focus_next()
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        frame = [str(app.widget.border_title or ""), str(app.widget.border_subtitle or "")]
        shown.append("\n".join([seen(app), *frame]))
        heard.extend(app.heard)

    alone(make, journey, size, Listening)
    return shown[0], heard


def test_the_headline_has_the_gain_the_budget_and_no_more_than_its_row() -> None:
    wide, _ = look(RunHeadline, ROWS, (140, 3))
    assert "Best: round 3, +75.0 points" in wide
    assert "(95% CI " in wide
    assert "rounds ████" in wide
    assert "3 of 6" in wide
    assert "about 30 s left" in wide
    narrow, _ = look(RunHeadline, ROWS, (40, 3))
    assert "+75.0 points" in narrow
    for width in (3, 12, 25, 60):
        text, _ = look(RunHeadline, ROWS, (width, 3))
        assert not text.splitlines()[1].strip()


TINY = (38, 8)
"""The room of a panel in a terminal of 40 x 12."""


@pytest.mark.parametrize("panel", [ProgressPanel, QuestionsPanel, LineagePanel, ReasonsPanel])
def test_a_panel_says_what_will_be_there_and_shows_one_round_and_two_thousand(
    panel: Callable[[], Widget], long_run: list[Event]
) -> None:
    first = "appears here" if panel is not LineagePanel else "begins with"
    assert first in " ".join(look(panel, [], TINY)[0].split())
    only, _ = look(panel, RUN[: len(voted_round(1, "seed", 1)) + 1], TINY)
    many, _ = look(panel, long_run, TINY)
    expected = {
        ProgressPanel: (r"win rate in the duel, % .* 50┤┈+", r"\d\.0k +calls"),
        QuestionsPanel: (r"1\* · · ·", r"1999 +· = ·"),
        LineagePanel: (r"● 1\* +seed", "1,996 lost"),
        ReasonsPanel: ("What a judge gives as a reason more than once", "1,998 times"),
    }[panel]  # type: ignore[index]
    assert re.search(expected[0], " ".join(only.split()))
    assert re.search(expected[1], many)


@pytest.fixture(scope="module")
def long_run() -> list[Event]:
    """Two thousand rounds, of which one in a thousand wins."""
    events: list[Event] = [VOTED, *voted_round(1, "seed", 1)]
    for number in range(2, 2000):
        outcome: Outcome = "win" if number % 900 == 0 else "loss"
        best = number if outcome == "win" else max(1, number // 900 * 900)
        events += voted_round(number, outcome, best, "loss", reason="It lacks a concrete example.")
    return events


def test_the_best_prompt_is_shown_in_full_and_against_the_seed() -> None:
    text, _ = look(BestPanel, RUN, (60, 8))
    assert "Say it in way 3." in text
    assert "Best prompt  round 3" in text
    assert "~4 tokens, +5 -1 words of the seed" in text
    diff, _ = look(BestPanel, RUN, (60, 8), "d")
    assert "[-Say.-]" in diff
    assert "{+Say it in way 3.+}" in diff
    seed, _ = look(BestPanel, RUN[:4], (60, 8), "d")
    assert "Say." in seed
    assert "Best prompt  the seed" in seed


def test_progress_shows_every_candidate_and_leads_to_it() -> None:
    text, heard = look(ProgressPanel, ROWS, (60, 14), "left", "left", "enter")
    assert "score" in text
    assert "calls" in text
    assert "round 2  0.0 (0.0 to 8.8)  loss" in text
    assert heard == ["pointed at 3", "pointed at 2", "opened 2"]
    legend, _ = look(ProgressPanel, ROWS, (60, 30))
    assert "◆ seed  ● win  ○ loss" in legend
    assert "USD" in legend
    spending, _ = look(ProgressPanel, ROWS, (60, 14), "u")
    assert "working time" in spending
    assert "calls" not in spending
    cost = AnswerCost(48, 90.0, 10.0, usd=0.0004, seconds=1.2)
    dearer = msgspec.structs.replace(cost, usd=0.0006)
    priced = [
        msgspec.structs.replace(one, per_answer=dearer if one.round == 2 else cost)
        if isinstance(one, CandidateScored)
        else one
        for one in ROWS
    ]
    against, heard = look(ProgressPanel, priced, (60, 14), "p", "right", "enter")
    assert "USD an answer" in against
    assert "round 2  0.0  $0.000600 (mean), 1.2 s (median), 90 t" in against
    assert heard == ["pointed at 2", "opened 2"]
    tiny, _ = look(ProgressPanel, RUN, (38, 9))
    assert "●" in tiny
    assert "Each candidate appears here" in look(ProgressPanel, [], (60, 14))[0]


def test_the_grid_marks_every_question_and_leads_to_the_answer() -> None:
    text, heard = look(QuestionsPanel, RUN, (90, 10), "right", "enter")
    assert "3* win        + = +" in text
    assert "round 3, question 2: = the same as the best of that time" in text
    assert "+ better  = the same" in text
    assert heard == ["opened 3, 1"]
    text, heard = look(QuestionsPanel, ROWS, (90, 10), "f", "up", "enter")
    assert "only those better or worse anywhere" in text
    assert "round 2, row 1" in text
    assert heard == ["opened 2, 0"]


def test_the_grid_of_a_long_run_scrolls_to_every_cell() -> None:
    async def journey(app: AloneApp[QuestionsPanel], pilot: Pilot[None]) -> None:
        events = [SCORED, *scored_round(1, "seed", 1, *[0] * 150)]
        for number in range(2, 60):
            events += scored_round(number, "loss", 1, *[1] * 149, None)
        app.widget.show(painted(*events))
        view = app.widget.query_one(GridView)
        view.focus()
        await until(pilot, lambda: "59  loss" in seen(app))
        await pilot.press("home", *["right"] * 3)
        await until(pilot, lambda: "1* seed" in seen(app) and view.current == (1, 3))
        await pilot.press("pagedown")
        view.action_step(0, 1000)
        await until(pilot, lambda: view.current is not None and view.current[1] == 149)
        await until_seen(pilot, "+!")

    alone(QuestionsPanel, journey, (60, 12))


def test_the_lineage_folds_losers_and_leads_to_rounds() -> None:
    text, heard = look(LineagePanel, RUN, (70, 10), "up", "enter", "down", "enter")
    assert "● 3*" in text
    assert "▾ 1 lost" in text
    assert "Way 2." in text
    assert "1 step from the seed to the best" in text
    assert heard == ["pointed at 2", "opened 2"]


def test_reasons_that_recur_are_counted() -> None:
    text, _ = look(ReasonsPanel, RUN, (70, 10))
    assert "2 times   2 against" in text
    assert "It lacks a concrete example" in text
    assert "2 reasons in all" in text


def test_on_the_run_screen_panels_are_reached_by_key_and_lead_to_answers(
    workspace: Workspace, tmp_path: Path
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.open_project("why")
        await until_seen(pilot, "Stopped: finished")
        await pilot.press("5")
        await until_seen(pilot, "in style 2, with reasons")
        await pilot.press("6")
        await until_seen(pilot, "calls")
        await pilot.press("8")
        await until_seen(pilot, "● 3*")
        await pilot.press("9")
        await until_seen(pilot, "9 Reasons")
        await pilot.press("7")
        await until_seen(pilot, "3* win")
        await pilot.press("up", "up", "enter")  # past the final check and the last round
        await until_seen(pilot, "Round 2 against the seed")
        await pilot.press("escape")
        await until_seen(pilot, "7 Questions")

    drive(tmp_path, journey, SMALL, workspace=workspace)


def test_a_hint_is_typed_sent_and_shown_beside_its_round() -> None:
    from spotui.domain.events import HintGiven
    from spotui.tui.run.hint_screen import HintScreen
    from tests.tui.asking import ask

    async def change(pilot: Pilot[None]) -> None:
        await until_seen(pilot, "Hint to the optimizer", "Be brief.")
        await pilot.press("end", *" And kind.", "enter")

    assert ask(lambda: HintScreen("Be brief."), change) == "Be brief. And kind."

    async def leave(pilot: Pilot[None]) -> None:
        await until_seen(pilot, "Hint to the optimizer")
        await pilot.press("x", "escape")

    assert ask(lambda: HintScreen(""), leave) is None

    picture = painted(*RUN[:4], HintGiven(text="Be brief.", before_round=2), *RUN[4:])
    assert picture.hint == "Be brief."

    async def journey(app: AloneApp[HistoryPanel], pilot: Pilot[None]) -> None:
        app.widget.show(picture)
        await until_seen(pilot, "(your hint: Be brief.) Way 2.")

    alone(HistoryPanel, journey, (120, 12))
