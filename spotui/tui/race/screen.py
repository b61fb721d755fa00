"""A race while it runs and afterwards: who wins, gains with their intervals, and curves over calls."""

import asyncio
import os
import signal
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from spotui.domain.commands import Stop, encode_command
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import bar, clock, count, gained, points, span, state_in_words, usd
from spotui.lang import N_, _, ngettext
from spotui.settings import locations
from spotui.tui.chart import ForestChart, PlotChart
from spotui.tui.child import attempt
from spotui.tui.dialogs import not_trusted, trusts_template
from spotui.tui.page import Page
from spotui.tui.race.charts import curves_of, gain_of, legend_of, signed
from spotui.tui.race.new import start_race
from spotui.tui.table_view import Column, Row, TableView
from spotui.tui.terminal import open_by
from spotui.view.race import (
    Lane,
    Race,
    RaceReader,
    against_each_other,
    ahead,
    continued_in_words,
    is_tested,
    winner,
)
from spotui.wire.socket import NotRunningError, connect
from spotui.workspace.history import HELD
from spotui.workspace.race_file import RaceFolder

_LOOK_SECONDS = 1.0
_BAR_CELLS = 12
_COLUMNS = (
    Column("method", 10),
    Column("gain on the seed", 16, is_number=True),
    Column("test", 5, is_number=True, from_width=56),
    Column("interval", 14, is_number=True, from_width=104),
    Column("state", 11, from_width=36),
    Column("progress", _BAR_CELLS, from_width=60),
    Column("round", 8, is_number=True, from_width=40),
    Column("chosen by", 9, is_number=True, from_width=92),
    Column("time", 7, is_number=True, from_width=70),
    Column("tokens", 7, is_number=True, from_width=86),
    Column("USD", 9, is_number=True, from_width=118),
)
_TONES = {
    "running": "$text-success",
    "paused": "$text-warning",
    "failed": "$text-error",
    "interrupted": "$text-warning",
}
_STATES = {
    "running": N_("running"),
    "testing": N_("testing"),
    "not running": N_("not running"),
    "finished": N_("finished"),
}


class LanesTable(TableView):
    """The methods of a race."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open its run", id="race.open"),
    ]


class RaceScreen(Page[None]):
    """Every method with how it stands, and what the test says of them.

    Args:
        race: The race.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "go_on", "resume", id="race.go_on"),
        Binding("s", "stop", "stop", id="race.stop"),
        Binding("c", "compare", "compare rows", id="race.compare"),
        Binding("g", "chart", "other chart", id="race.chart"),
        Binding("r", "report", "report", id="race.report"),
        Binding("tab", "app.focus_next", "other panel", id="race.other_panel", show=False),
        Binding("escape", "back", "back", id="race.back"),
    ]

    DEFAULT_CSS = """
    RaceScreen {
        & TableView { height: auto; max-height: 40%; padding: 0 1; }
        & #winner { height: auto; padding: 0 1; text-style: bold; }
        & #charts { height: 1fr; layout: vertical; }
        & ForestChart { height: 1fr; max-height: 14; }
        & PlotChart { height: 1fr; }
        & #charts > * { padding: 0 1; }
        & #pairs { height: auto; padding: 0 1; }
        & #said { height: auto; padding: 0 1; color: $text-muted; }
        &.-wide #charts { layout: horizontal; & > * { width: 1fr; max-height: 100%; } }
        &.-low #charts { display: none; }
    }
    """

    AUTO_FOCUS = "TableView"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual's declaration
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high")]  # noqa: RUF012 - Textual's declaration

    def __init__(self, race: RaceFolder) -> None:
        super().__init__()
        self._folder = race
        self._reader = RaceReader(race)
        self._race: Race | None = None
        self._starts = False
        self._looks = False
        self._shows_curves: bool | None = None

    def parts(self) -> ComposeResult:
        """The race, its methods, two charts, the methods against each other."""
        yield Static(id="race", classes="head", markup=False)
        yield Static(id="winner", markup=False)
        table = LanesTable(_COLUMNS)
        table.empty = Content(_("Reading the race…"))
        yield table
        with Container(id="charts"):
            gains = ForestChart(id="gains", classes="framed")
            gains.border_title = _("Gain on the seed in points, with its 95% CI")
            yield gains
            yield PlotChart(id="curves", classes="framed")
        yield Static(id="pairs", markup=False)
        yield Static(id="said", markup=False)

    def on_mount(self) -> None:
        """Look at once, and again every now and then."""
        self._look()
        self.set_interval(_LOOK_SECONDS, self._look)

    def on_screen_resume(self) -> None:
        """Something may have happened while a run was shown."""
        self._look()

    def fill(self) -> None:
        """Read the race again."""
        self._race = None
        self.run_worker(self._read(), group="look")

    def on_resize(self) -> None:
        """There may be room for both charts now."""
        self.call_after_refresh(self._choose_charts)

    def _look(self) -> None:
        if self.is_on_top and not self._looks:
            self._looks = True
            self.run_worker(self._read(), group="look")

    async def _read(self) -> None:
        race = await attempt(self, self._reader.read)
        self._looks = False
        if race is None or race == self._race:
            return
        self._race = race
        headline = winner(race) or ahead(race)
        chosen = [] if race.continued is None else [continued_in_words(race.continued)]
        with self.app.batch_update():
            self.query_one("#race", Static).update(_title(race))
            self.query_one("#winner", Static).update(headline)
            self.query_one(TableView).show([Row(one.method, _cells(one)) for one in race.lanes])
            self.query_one(ForestChart).show([gain_of(lane) for lane in race.lanes], signed)
            curves = self.query_one(PlotChart)
            curves.show(curves_of(race))
            curves.border_title = _("Best score by calls")
            curves.border_subtitle = legend_of(race)
            self._choose_charts()
            self.query_one("#pairs", Static).update("\n".join([*chosen, *against_each_other(race)]))
            self._say(_said(race))
        self.refresh_bindings()

    def _choose_charts(self) -> None:
        """Both charts where there is room, else the one that was chosen or that says more."""
        race = self._race
        if race is None:
            return
        tested, has_curves = is_tested(race), any(len(lane.curve) > 1 for lane in race.lanes)
        is_first = self._shows_curves if self._shows_curves is not None else not tested
        is_wide = self.has_class("-wide")
        self.query_one(ForestChart).display = tested and (is_wide or not is_first or not has_curves)
        self.query_one(PlotChart).display = has_curves and (is_wide or is_first or not tested)

    def _say(self, text: str) -> None:
        said = self.query_one("#said", Static)
        said.update(text)
        said.display = bool(text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What works is stopped, what was broken off is resumed, what was tested is compared."""
        race = self._race
        match action:
            case "go_on":
                return race is not None and race.state == "not running" and not self._starts
            case "stop":
                return race is not None and race.state in {"running", "testing"}
            case "compare" | "report":
                return race is not None and is_tested(race)
            case "chart":
                has_curves = race is not None and any(len(lane.curve) > 1 for lane in race.lanes)
                return has_curves and race is not None and is_tested(race) and not self.has_class("-wide")
            case _:
                return True

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Open the run of a method."""
        event.stop()
        self._open(event.key)

    def on_plot_chart_chosen(self, event: PlotChart.Chosen) -> None:
        """Open the run of the method that a point belongs to."""
        event.stop()
        self._open(event.key.partition(" ")[0])

    def on_plot_chart_moved(self, event: PlotChart.Moved) -> None:
        """Put the cursor of the table on its method."""
        event.stop()
        self.query_one(TableView).select(event.key.partition(" ")[0])

    def _open(self, method: str) -> None:
        from spotui.tui.run.screen import RunScreen

        lane = next((one for one in self._race.lanes if one.method == method), None) if self._race else None
        if lane is None:
            return
        if lane.state != "waiting":
            self.app.push_screen(RunScreen(self._folder.project(method)))
        else:
            self.notify(_("{method} has not begun yet.", method=method), markup=False)

    def action_compare(self) -> None:
        """Compare the method under the cursor with another one, row by row."""
        from spotui.tui.race.rows import RaceRowsScreen

        if self._race is not None:
            self.app.push_screen(RaceRowsScreen(self._folder, self._race, self.query_one(TableView).current))

    def action_chart(self) -> None:
        """Show the other chart."""
        self._shows_curves = not self.query_one(PlotChart).display
        self._choose_charts()

    def action_report(self) -> None:
        """Write the report of the race, as a page for the browser."""
        from spotui.tui.export import report_of_several

        open_by(self, report_of_several(self, self._folder), group="report")

    def action_stop(self) -> None:
        """Stop the race, once that is confirmed."""
        open_by(self, self._stop(), group="stop")

    async def _stop(self) -> None:
        from spotui.tui.dialogs import confirmed

        text = _("What was asked until now is kept: resume it with space, and nothing is bought twice.")
        question = _("Stop the race {name}?", name=self._folder.name)
        if not await confirmed(self, question, _("stop"), text):
            return
        race = self._race
        lane = next((one for one in race.lanes if one.state in HELD), None) if race is not None else None
        is_told = lane is not None and await _stop_run(self._folder, lane.method)
        # Between two runs, and while the test rows are asked, there is no run to be told.
        if is_told or await asyncio.to_thread(_interrupt, self._folder):
            self.notify(_("Stopping: calls in flight have a few seconds to finish."))
        else:
            self.notify(_("The process of the race could not be reached."), severity="warning")

    def action_go_on(self) -> None:
        """Take the race up where it ended, in a separate process."""
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
            await start_race(self._folder, words, self._say)
        except SpotuiError as error:
            self.notify(error.hint, title=error.what, severity="error", markup=False)
        finally:
            self._starts = False
            await asyncio.sleep(0)
            self._look()

    def action_back(self) -> None:
        """Home; the race goes on."""
        self.app.pop_screen()


async def _stop_run(folder: RaceFolder, method: str) -> bool:
    """Tell the run of a method to stop, which ends the race; whether a process works on it."""
    project = folder.project(method)
    try:
        _reader, writer = await connect(locations.socket_path(project.folder), project.name)
        try:
            writer.write(encode_command(Stop()))
            await writer.drain()
        finally:
            writer.close()
    except (NotRunningError, ConnectionError):
        return False
    return True


def _interrupt(folder: RaceFolder) -> bool:
    """Interrupt the process of a race, as Ctrl+C does; whether there was one on this machine."""
    owner = folder.lock.living_owner()
    if owner is None or not owner.pid or owner.host != os.uname().nodename:
        return False
    try:
        os.kill(owner.pid, signal.SIGINT)
    except OSError:
        return False
    return True


def _title(race: Race) -> Content:
    tone = "$text-success" if race.state in {"running", "testing"} else "$text-muted"
    rows = ngettext("{n:,} test row", "{n:,} test rows", race.rows) if race.rows else ""
    return Content.assemble(
        (race.name, "bold $secondary"),
        _("  race on {template}", template=race.template),
        (f"  {_(_STATES[race.state]) if race.state in _STATES else race.state}", tone),
        (f"  {rows}" if rows else "", "$text-muted"),
    )


def _cells(lane: Lane) -> tuple[Content | str, ...]:
    tested = lane.tested
    score = interval = gain = progress = ""
    if tested is not None:
        score = points(tested.score)
        interval = span(points(tested.interval[0]), points(tested.interval[1]))
        gain = gained(tested.gain, tested.gain_interval) if tested.improved else _("no better prompt")
    elif lane.state != "waiting":
        done = bar(lane.share, _BAR_CELLS)
        progress = done + "·" * (_BAR_CELLS - len(done))
    rounds = ""
    if lane.state != "waiting":
        rounds = _("{rounds} of {wanted}", rounds=lane.rounds, wanted=lane.wanted)
    return (
        lane.method,
        gain,
        Content.styled(score, "bold") if score else "",
        interval,
        Content.styled(_lane_state(lane.state), _TONES.get(lane.state, "$text-muted")),
        Content.styled(progress, "$text-success" if lane.state == "running" else "$text-muted"),
        rounds,
        "" if lane.score is None else points(lane.score),
        clock(lane.seconds) if lane.seconds else "",
        count(lane.tokens, estimated=lane.estimated) if lane.tokens else "",
        usd(lane.cost_usd, estimated=lane.estimated) if lane.rounds and lane.cost_usd is not None else "",
    )


def _lane_state(state: str) -> str:
    return _("waiting") if state == "waiting" else state_in_words(state)


def _said(race: Race) -> str:
    if race.state == "not running":
        return _("This race is not running. Press space to resume it; finished calls are not bought again.")
    if race.state == "testing":
        return _("All have run. The best prompt of each is asked the test rows now.")
    paused = next((lane.method for lane in race.lanes if lane.state == "paused"), "")
    if paused:
        return _(
            "The run of {method} is paused and waits for you. Select it and press Enter to open it.",
            method=paused,
        )
    if race.state == "running" and race.continued is not None:
        return _("What their best prompts are worth on unseen rows is asked at the end.")
    if race.state == "running" and "--continue" in race.words:
        return _(
            "The methods run one after another, each with a part of half of the budget; then the most "
            "promising one continues with the rest. What their best prompts are worth on unseen rows is "
            "asked at the end."
        )
    if race.state == "running":
        return _(
            "The methods run one after another, on the same rows and with the same budget each. "
            "What their best prompts are worth on rows that nothing has seen before is asked at the end."
        )
    return ""
