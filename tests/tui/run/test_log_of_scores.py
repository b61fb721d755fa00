"""The log on the screen while prompts are scored on rows."""

from textual.pilot import Pilot

from spotui.domain.events import CallDelta, NoteWritten
from spotui.tui.run.log_panel import LogPanel
from tests.tui.alone import AloneApp, alone
from tests.tui.piloting import seen, until_seen
from tests.tui.run.test_log_panel import show, tell
from tests.view.test_scored_story import EVAL, START, done, key, scored, started
from tests.view.test_scored_story import told as told_of_scores

App = AloneApp[LogPanel]


def test_rows_under_way_are_one_line_with_its_clock() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        story = told_of_scores(START, EVAL, *started(*range(6)), *done(key(0)))
        await show(app, pilot, story)
        await until_seen(pilot, " 2 prompts on 3 eval rows each", "1 of 6, 50 tok, ", " …")
        assert sum(line.strip() != "" for line in seen(app).splitlines()) == 2
        await tell(app, pilot, story, *done(*map(key, range(1, 6))), scored("P", 0.5))
        await until_seen(pilot, "300 tok, 2.0 s", "50.0 (20.0 to 90.0)")
        assert " …" not in seen(app)

    alone(LogPanel, journey, (80, 12))


def test_a_proposal_that_is_written_makes_room_for_its_end() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        story = told_of_scores(START, EVAL, *started(0, 1, purpose="propose"))
        await show(app, pilot, story)
        await tell(app, pilot, story, CallDelta(key=key(1, "propose"), text="Count to"))
        await until_seen(pilot, " 2 proposals", "   Count to")
        await tell(app, pilot, story, *done(key(0, "propose"), key(1, "propose")))
        await until_seen(pilot, "100 tok")
        assert "Count to" not in seen(app)

    alone(LogPanel, journey, (80, 12))


def test_a_long_reflection_is_folded_to_two_lines() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        text = "It never says what to count. " * 20
        await show(app, pilot, told_of_scores(START, NoteWritten(round=2, what="reflection", text=text)))
        await until_seen(pilot, " reflection", "It never says")
        assert seen(app).count("\n   ") == 2
        assert "…" in seen(app)

    alone(LogPanel, journey, (80, 12))
