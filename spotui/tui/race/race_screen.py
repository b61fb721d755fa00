"""A race as one table, while it goes on and afterwards."""

import asyncio
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from spotui.errors import SpotuiError
from spotui.tui.attempt import attempt
from spotui.tui.key_hints import KeyHints
from spotui.tui.race.starting import start_race
from spotui.tui.table_view import Column, Row, TableView
from spotui.tui.trusting import not_trusted, trusts_template
from spotui.view.figures import count, duration, gained, points, usd
from spotui.view.race import Lane, Race, RaceReader, against_each_other, winner
from spotui.workspace.race_file import RaceFolder

_LOOK_SECONDS = 1.0
_COLUMNS = (
    Column("method", 10),
    Column("gain on the seed", 16, is_number=True),
    Column("test", 5, is_number=True),
    Column("interval", 14, is_number=True, from_width=104),
    Column("state", 11),
    Column("round", 8, is_number=True),
    Column("time", 7, is_number=True),
    Column("tokens", 7, is_number=True, from_width=86),
    Column("USD", 9, is_number=True, from_width=118),
    Column("chosen by", 9, is_number=True, from_width=130),
)
_TONES = {"running": "$text-success", "failed": "$text-error", "interrupted": "$text-warning"}


class LanesTable(TableView):
    """The methods of a race."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open its run", id="race.open"),
    ]


class RaceScreen(Screen[None]):
    """Every method with how it stands, and what the test says of them.

    Args:
        race: The race.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "go_on", "resume", id="race.go_on"),
        Binding("escape", "back", "back", id="race.back"),
    ]

    DEFAULT_CSS = """
    RaceScreen {
        & #race { height: 1; padding: 0 1; background: $panel; }
        & TableView { height: auto; max-height: 60%; padding: 0 1; }
        & #winner { height: auto; padding: 0 1; text-style: bold; }
        & #pairs { height: auto; padding: 1 1 0 1; }
        & #said { height: 1fr; padding: 1 1 0 1; color: $text-muted; }
    }
    """

    AUTO_FOCUS = "TableView"

    # As on the run's screen: the widgets concerned paint themselves.
    focused = Reactive[Widget | None](None, repaint=False)

    def __init__(self, race: RaceFolder) -> None:
        super().__init__()
        self._folder = race
        self._reader = RaceReader(race)
        self._race: Race | None = None
        self._starts = False
        self._looks = False

    def compose(self) -> ComposeResult:
        """The race, its methods, the methods against each other, the keys."""
        yield Static(id="race", markup=False)
        yield Static(id="winner", markup=False)
        table = LanesTable(_COLUMNS)
        table.empty = Content("Reading the race…")
        yield table
        yield Static(id="pairs", markup=False)
        yield Static(id="said", markup=False)
        yield KeyHints()

    def on_mount(self) -> None:
        """Look at once, and again every now and then."""
        self._look()
        self.set_interval(_LOOK_SECONDS, self._look)

    def on_screen_resume(self) -> None:
        """Something may have happened while a run was shown."""
        self._look()

    def _look(self) -> None:
        # Textual paints the top screen whole for what changes in the one below it.
        if self.app.screen is self and not self._looks:
            self._looks = True
            self.run_worker(self._read(), group="look")

    async def _read(self) -> None:
        race = await attempt(self, self._reader.read)
        self._looks = False
        if race is None or race == self._race:
            return
        self._race = race
        with self.app.batch_update():
            self.query_one("#race", Static).update(_title(race))
            self.query_one("#winner", Static).update(winner(race))
            self.query_one("#winner").display = bool(winner(race))
            self.query_one(TableView).show([Row(one.method, _cells(one)) for one in race.lanes])
            self.query_one("#pairs", Static).update("\n".join(against_each_other(race)))
            self.query_one("#said", Static).update(_said(race))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A race that is over, or that a process works on, does not go on."""
        if action == "go_on":
            return self._race is not None and self._race.state == "not running" and not self._starts
        return True

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Open the run of a method."""
        event.stop()
        self._open(event.key)

    def _open(self, method: str) -> None:
        from spotui.tui.run_screen import RunScreen

        lane = next((one for one in self._race.lanes if one.method == method), None) if self._race else None
        if lane is None:
            return
        if lane.state != "waiting":
            self.app.push_screen(RunScreen(self._folder.project(method)))
        else:
            self.notify(f"{method} has not begun yet.", markup=False)

    def action_go_on(self) -> None:
        """Take the race up where it ended, in a process of its own."""
        if self._race is not None:
            self.run_worker(self._go_on(list(self._race.words)), group="start", exclusive=True)

    async def _go_on(self, words: list[str]) -> None:
        self._starts = True
        self.refresh_bindings()
        try:
            if not any(word.startswith("--name=") for word in words):
                words.append(f"--name={self._folder.name}")
            if not await trusts_template(self, Path(words[1])):
                raise not_trusted()
            await start_race(self._folder, words, self.query_one("#said", Static).update)
        except SpotuiError as error:
            self.notify(error.mend, title=error.what, severity="error", markup=False)
        finally:
            self._starts = False
            await asyncio.sleep(0)
            self._look()

    def action_back(self) -> None:
        """Home; the race goes on."""
        self.app.pop_screen()


def _title(race: Race) -> Content:
    tone = "$text-success" if race.state in {"running", "testing"} else "$text-muted"
    return Content.assemble(
        (race.name, "bold $secondary"), f"  race on {race.template}", (f"  {race.state}", tone)
    )


def _cells(lane: Lane) -> tuple[Content | str, ...]:
    tested = lane.tested
    score = interval = gain = ""
    if tested is not None:
        score = points(tested.score)
        interval = "{} to {}".format(*map(points, tested.interval))
        gain = gained(tested.gain, tested.gain_interval) if tested.improved else "no better prompt"
    rounds = "" if lane.state == "waiting" else f"{lane.rounds} of {lane.wanted}"
    return (
        lane.method,
        gain,
        Content.styled(score, "bold"),
        interval,
        Content.styled(lane.state, _TONES.get(lane.state, "$text-muted")),
        rounds,
        duration(lane.seconds) if lane.seconds else "",
        count(lane.tokens, estimated=lane.estimated) if lane.tokens else "",
        usd(lane.cost_usd, estimated=lane.estimated) if lane.rounds else "",
        "" if lane.score is None else points(lane.score),
    )


def _said(race: Race) -> str:
    if race.state == "not running":
        return "This race is not running. Press space to resume it; finished calls are not bought again."
    if race.state == "testing":
        return "All have run. The best prompt of each is asked the test rows now."
    if race.state == "running":
        return (
            "The methods run one after another, on the same rows and with the same budget each. "
            "What their best prompts are worth on rows that nothing has seen before is asked at the end."
        )
    return ""
