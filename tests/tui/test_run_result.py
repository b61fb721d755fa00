"""What is told of a run once it has stopped."""

from msgspec.structs import replace
from textual.pilot import Pilot

from spotui.events import RunStopped
from spotui.tui.run_result import RunResult
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

    alone(RunResult, journey, (100, 6))


def test_a_long_cause_takes_three_rows_at_most() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        app.widget.show(Picture(stopped=replace(STOPPED, cause="word " * 200)))
        await until(pilot, lambda: app.widget.size.height == 3)

    alone(RunResult, journey, (60, 12))
