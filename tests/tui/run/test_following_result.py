"""What is told of a run once it has stopped."""

from msgspec.structs import replace
from textual.pilot import Pilot

from spotui.cli.summary import summary
from spotui.domain.events import FinalCheckSkipped, RunStopped
from spotui.tui.run.following import RunResult
from spotui.view.picture import Picture
from tests.tui.alone import AloneApp, alone
from tests.tui.piloting import seen, until, until_seen

App = AloneApp[RunResult]
STOPPED = RunStopped(
    reason="failed",
    cause="The model [/b] refused\nthe key.",
    best=1,
    improved=False,
    rounds=3,
    prompt="p",
)


def test_it_is_there_once_the_run_has_stopped_and_gone_when_it_goes_on() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        app.widget.show(Picture())
        await pilot.pause()
        assert not app.widget.display
        app.widget.show(Picture(stopped=STOPPED))
        await until_seen(pilot, "No improvement: the seed prompt is still the best.")
        await until_seen(pilot, "The model [/b] refused the key.")
        app.widget.show(Picture())
        await until(pilot, lambda: not seen(app).strip())

    alone(RunResult, journey, (100, 24))


def test_a_long_cause_takes_three_rows_at_most() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        app.widget.show(Picture(stopped=replace(STOPPED, cause="word " * 200)))
        await until(pilot, lambda: app.widget.size.height == 3)

    alone(RunResult, journey, (60, 24))


def test_a_spent_budget_is_said_once() -> None:
    why = "The budget of 5 calls is spent."
    stopped = replace(STOPPED, reason="budget", cause=why, best=2, improved=True)
    picture = Picture(stopped=stopped, check=FinalCheckSkipped(best=2, why=why))

    async def journey(app: App, pilot: Pilot[None]) -> None:
        app.widget.show(picture)
        await until_seen(pilot, "Best: round 2.", why)
        assert seen(app).count(why) == 1

    alone(RunResult, journey, (140, 24))
    assert "\n".join(summary("", picture)).count(why) == 1
