"""One project: its template, its log, what changed, and its rounds."""

import os
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.reactive import Reactive, var
from textual.screen import Screen
from textual.widget import Widget

from spotui.commands import Pause, Resume, Stop
from spotui.tui.diff_panel import DiffPanel
from spotui.tui.history_panel import HistoryPanel
from spotui.tui.key_hints import KeyHints
from spotui.tui.log_panel import LogPanel
from spotui.tui.panel_tabs import PanelTabs
from spotui.tui.run_client import RunClient
from spotui.tui.run_header import RunHeader
from spotui.tui.template.run_template import RunTemplatePanel
from spotui.wire import NotRunningError
from spotui.workspace.projects import Project

_PANELS = ("Template", "Log", "Diff", "Rounds")
TICKS_PER_SECOND = 4.0
TICKS_PER_SECOND_OVER_SSH = 2.0


class RunScreen(Screen[None]):
    """The four panels of a run; all of them show the selected round.

    Attributes:
        selected: The round that the panels show; 0 is the newest, whichever that is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause_or_resume", "pause", id="run.pause"),
        Binding("s", "stop", "stop", id="run.stop"),
        Binding("left_square_bracket", "step(-1)", "round before", id="run.previous_round"),
        Binding("right_square_bracket", "step(1)", "round after", id="run.next_round"),
        *(
            Binding(str(number), f"panel({number - 1})", name, id=f"run.panel_{number}", show=False)
            for number, name in enumerate(_PANELS, 1)
        ),
        Binding("b", "seed_and_best", "seed and best", id="run.seed_and_best"),
        Binding("v", "split", "side by side", id="run.split"),
        Binding("z", "maximize", "one panel", id="run.maximize"),
        Binding("escape", "back", "back", id="run.back"),
    ]

    DEFAULT_CSS = """
    RunScreen {
        & PanelTabs { display: none; }
        & Grid { grid-size: 2 2; grid-columns: 2fr 3fr; grid-rows: 3fr 2fr; }
        & Grid > * {
            height: 1fr;
            border: round $border-blurred;
            border-title-color: $text-muted;
            background: $background;
            &:focus, &:focus-within { border: round $primary; border-title-color: $primary; }
        }
        &.-narrow {
            & PanelTabs { display: block; }
            & Grid { grid-size: 1 1; grid-columns: 1fr; grid-rows: 1fr; }
            & Grid > * { display: none; border: none; }
            & Grid > .-shown { display: block; }
        }
    }
    """

    AUTO_FOCUS = "LogPanel"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's declaration

    # Textual paints the whole screen when focus moves, some 40 kB; the widgets concerned paint themselves.
    focused = Reactive[Widget | None](None, repaint=False)
    selected = var(0)

    def __init__(self, project: Project, client: RunClient | None = None) -> None:
        super().__init__()
        self._project = project
        self._client = client or RunClient(project)
        self._shown_seed_and_best = False

    def compose(self) -> ComposeResult:
        """Header, four panels, keys."""
        yield RunHeader()
        yield PanelTabs(_PANELS)
        with Grid():
            yield RunTemplatePanel(self._project)
            yield LogPanel().add_class("-shown")
            yield DiffPanel()
            yield HistoryPanel()
        yield KeyHints()

    def on_mount(self) -> None:
        """Begin to follow the run, and to paint what comes a few times a second."""
        self.run_worker(self._follow(), group="follow", exit_on_error=False)
        rate = TICKS_PER_SECOND_OVER_SSH if os.environ.get("SSH_CONNECTION") else TICKS_PER_SECOND
        self.set_interval(1 / rate, self._tick)

    async def _follow(self) -> None:
        from spotui.workspace.history import read_history

        try:
            await self._client.follow(self._reopen)
        except NotRunningError:
            self._client.recall(read_history(self._project))
            self._reopen()

    def _reopen(self) -> None:
        self.query_one(LogPanel).show(self._client.story)
        self._tick()

    def _tick(self) -> None:
        client = self._client
        with self.app.batch_update():
            self.query_one(RunHeader).show(self._project.name, client.picture, is_attached=client.is_attached)
            self.query_one(LogPanel).tick()
            self.query_one(HistoryPanel).show(client.picture)
            self._compare()

    def _compare(self) -> None:
        picture = self._client.picture
        number = self.selected or max(
            (one.number for one in picture.rounds.values() if picture.prompt_of(one.number)), default=1
        )
        older, newer = (
            (1, picture.best or 1) if self._shown_seed_and_best else (picture.parent_of(number), number)
        )
        self.query_one(DiffPanel).show(
            _name(older), picture.prompt_of(older), _name(newer), picture.prompt_of(newer)
        )

    def watch_selected(self) -> None:
        """Show the selected round everywhere."""
        self._shown_seed_and_best = False
        if self.is_mounted:
            self._compare()

    def on_history_panel_selected(self, event: HistoryPanel.Selected) -> None:
        """The cursor of the table moved."""
        newest = max(self._client.picture.rounds, default=0)
        self.selected = 0 if event.number == newest else event.number

    def action_step(self, by: int) -> None:
        """Select the round before or after."""
        rounds = sorted(self._client.picture.rounds)
        if rounds:
            now = self.selected or rounds[-1]
            self.query_one(HistoryPanel).select(min(max(now + by, rounds[0]), rounds[-1]))

    def on_descendant_focus(self) -> None:
        """A small screen shows the panel that has focus."""
        for number, panel in enumerate(self.query_one(Grid).children):
            is_focused = panel.has_focus_within
            panel.set_class(is_focused, "-shown")
            if is_focused:
                self.query_one(PanelTabs).shown = number

    def on_panel_tabs_chosen(self, event: PanelTabs.Chosen) -> None:
        """A name was clicked."""
        self.action_panel(event.number)

    def action_panel(self, number: int) -> None:
        """Go to a panel."""
        panel = self.query_one(Grid).children[number]
        panel.add_class("-shown")
        panel.focus()

    def action_seed_and_best(self) -> None:
        """Compare the seed with the best, or the selected round with its parent."""
        self._shown_seed_and_best = not self._shown_seed_and_best
        self._compare()

    def action_split(self) -> None:
        """Two prompts beside each other, or as one text."""
        panel = self.query_one(DiffPanel)
        panel.is_split = not panel.is_split

    def action_maximize(self) -> None:
        """Give the focused panel the whole screen, or take it back."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.focused)

    def action_pause_or_resume(self) -> None:
        """Pause a run that runs; let one go on that is paused."""
        self._client.send(Resume() if self._client.picture.state == "paused" else Pause())

    def action_stop(self) -> None:
        """Let the calls in flight finish, keep the best, and end the run."""
        self._client.send(Stop())

    def action_back(self) -> None:
        """Home; the run goes on."""
        self.app.pop_screen()


def _name(number: int) -> str:
    return "seed" if number == 1 else f"round {number}"
