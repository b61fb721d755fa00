"""The screen of a run, which may be going on: its header, its headline and its panels."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Event
from textual.reactive import var
from textual.widget import Widget

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import round_in_words, verdict
from spotui.lang import _
from spotui.tui.focus_paint import Framed
from spotui.tui.run.best_panel import BestPanel
from spotui.tui.run.client import RunClient
from spotui.tui.run.diff_panel import DiffPanel
from spotui.tui.run.following import (
    PanelTold,
    RoundOpened,
    RoundPointed,
    RunHeader,
    RunPanel,
    RunResult,
    seconds_between_paints,
)
from spotui.tui.run.headline import RunHeadline
from spotui.tui.run.history_panel import HistoryPanel
from spotui.tui.run.log_panel import LogPanel
from spotui.tui.run.panel_grid import PANELS, Panel, PanelGrid
from spotui.tui.run.steering import SteeringScreen
from spotui.tui.terminal import ReadyForKeys, open_by
from spotui.workspace.projects import Project

_LONG_SECONDS = 30.0


class RunScreen(ReadyForKeys, SteeringScreen):
    """The panels of a run; those that show a round show the selected one.

    Args:
        project: The project.
        client: The way to its process; None for the usual one.

    Attributes:
        selected: The round that the panels show; 0 is the newest, whichever that is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step(-1)", "round before", id="run.previous_round"),
        Binding("right_square_bracket", "step(1)", "round after", id="run.next_round"),
        Binding("a", "answers", "answers", id="run.answers"),
        Binding("a", "scores", "rows", id="run.scores"),
        Binding("t", "try", "try it", id="run.try"),
        Binding("d", "seed_and_best", "seed and best", id="run.seed_and_best"),
        Binding("v", "split", "side by side", id="run.split"),
        Binding("y", "copy", "copy prompt", id="run.copy"),
        Binding("r", "report", "report", id="run.report"),
        Binding("escape", "back", "back", id="run.back"),
    ]

    AUTO_FOCUS = "LogView"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's declaration

    selected = var(0)

    def __init__(self, project: Project, client: RunClient | None = None) -> None:
        super().__init__(project, client or RunClient(project))
        self._shows_seed_and_best = False
        self._base = 0
        self._seen = -1
        self._state: tuple[object, ...] = ()
        self._question = ""
        self._is_read = False
        self._recent: tuple[int, ...] = (PANELS.index("Log"),)

    def parts(self) -> ComposeResult:
        """Header, headline, panels, keys."""
        yield RunHeader(is_above_headline=True)
        yield RunHeadline()
        yield RunResult()
        panels = (
            Panel(self._template_panel),
            Panel(LogPanel, is_early=True),
            Panel(DiffPanel, is_early=True),
            Panel(HistoryPanel, is_early=True),
            Panel(BestPanel),
            Panel(_progress_panel),
            Panel(_questions_panel),
            Panel(_lineage_panel),
            Panel(_reasons_panel),
        )
        yield PanelGrid(panels, self._recent)

    def _template_panel(self) -> Framed:
        from spotui.tui.template.source import RunTemplatePanel

        return RunTemplatePanel(self._project)

    def on_mount(self) -> None:
        """Begin to follow the run, and to paint what comes a few times a second."""
        self.run_worker(self._follow(), group="follow")
        self._painting = self.set_interval(seconds_between_paints(), self._tick)

    async def _follow(self) -> None:
        try:
            await self._client.watch(self._reopen)
        except SpotuiError as error:
            self.notify(error.hint, title=error.what, severity="error", timeout=_LONG_SECONDS, markup=False)
            self.say(f"{self._project.name}: {error.what}")
            self._is_read = True

    async def relabel(self) -> None:
        """Show everything in the language that is used now, the same panels and round as before."""
        if not self._client.is_tour:
            self.workers.cancel_group(self, "follow")
        self._recent = self.query_one(PanelGrid).recent
        await super().relabel()

    def fill(self) -> None:
        """Show the run, also what it has said."""
        self._seen, self._state = -1, ()
        if self._client.retell():
            self._reopen()
        else:
            self.run_worker(self._follow(), group="follow", exclusive=True)

    def is_ready_for(self, event: Event) -> bool:  # noqa: ARG002
        """Keys act on the run's state, so they wait until it is known."""
        return self._is_read

    def _reopen(self) -> None:
        self._is_read = True
        if self.is_remaking:
            return
        self.query_one(LogPanel).show(self._client.story)
        self._painting.resume()
        self._tick()

    def on_screen_resume(self) -> None:
        """Nothing was painted while another screen was shown."""
        self._seen = -1
        self._tick()

    def _tick(self) -> None:
        # Textual paints the top screen whole for what changes in the one below it.
        if self.app.screen is not self:
            return
        client = self._client
        picture = client.picture
        if client.changes == self._seen and not picture.calls:
            if not client.is_attached:
                self._painting.pause()  # nothing comes before the run is opened again
            return
        self._seen = client.changes
        with self.app.batch_update():
            self.query_one(RunHeader).show(self._project.name, picture, is_attached=client.is_attached)
            self.query_one(RunHeadline).show(picture)
            self.query_one(RunResult).show(picture)
            self.query_one(HistoryPanel).show(picture)
            for panel in self.query_one(PanelGrid).on_screen:
                self._fill(panel)
            self._compare()
        newest = picture.current
        state = (
            client.is_attached,
            picture.state,
            picture.best,
            newest and newest.candidate,
            picture.refused,
            picture.is_scored,
        )
        if state != self._state:
            self._state = state
            self.notice_state()

    def _fill(self, panel: Widget) -> None:
        """Show in a panel what is known; those that nobody sees are filled when they are opened."""
        if isinstance(panel, LogPanel):
            panel.tick()
        elif isinstance(panel, RunPanel) and panel.is_mounted:
            panel.show(self._client.picture)

    def on_panel_grid_opened(self, event: PanelGrid.Opened) -> None:
        """Fill a panel that was not on the screen."""
        event.stop()
        self._fill(event.panel)
        self.query_one(PanelGrid).tell_shown()

    def on_panel_told(self, event: PanelTold) -> None:
        """Say on a small screen, which has no frames, what is in the frame of the shown panel."""
        event.stop()
        self.query_one(PanelGrid).tell_shown()

    def say(self, text: str) -> None:
        """Show it in the header."""
        self.query_one(RunHeader).say(text)

    @property
    def chosen_round(self) -> int:
        """The selected round, or the newest."""
        return self.selected or max(self._client.picture.rounds, default=1)

    @property
    def chosen_prompt(self) -> tuple[str, str]:
        """A name for the prompt of the selected round, and its text; empty where it has none yet."""
        number = self.chosen_round
        return f"{self._project.name.replace('/', '-')}-{number}", self._client.picture.prompt_of(number)

    def _compare(self) -> None:
        picture = self._client.picture
        number = self.selected or max(
            (one.number for one in picture.rounds.values() if picture.prompt_of(one.number)), default=1
        )
        older, newer = self._base or picture.parent_of(number), number
        if self._shows_seed_and_best:
            older, newer = 1, picture.best or 1
        self.query_one(DiffPanel).show(
            self._titled(older), picture.prompt_of(older), self._titled(newer), picture.prompt_of(newer)
        )
        self.query_one(PanelGrid).tell_shown()

    def _titled(self, number: int) -> str:
        """A round's name, with the verdict where that is the user's."""
        one = self._client.picture.rounds.get(number)
        if one is None or not one.judged:
            return _name(number)
        return _("{round} ({outcome}, you)", round=_name(number), outcome=verdict(one.outcome or "", None))

    def watch_selected(self) -> None:
        """Show the selected round everywhere."""
        self._shows_seed_and_best = False
        if self.is_mounted:
            self._compare()
            newest = max(self._client.picture.rounds, default=1)
            self.query_one(LogPanel).go_to_round(self.selected or newest, newest)

    def on_history_panel_selected(self, event: HistoryPanel.Selected) -> None:
        """The cursor of the table moved."""
        newest = max(self._client.picture.rounds, default=0)
        self.selected = 0 if event.number == newest else event.number

    def on_round_pointed(self, event: RoundPointed) -> None:
        """The cursor of the chart or of the tree moved."""
        self.query_one(HistoryPanel).select(event.number)

    def on_round_opened(self, event: RoundOpened) -> None:
        """A round was chosen in a panel, or a cell of the grid: show the answers behind it."""
        self._open_round(event.number, event.question)

    def _open_round(self, number: int, question: int | None = None) -> None:
        self.query_one(HistoryPanel).select(number)
        self.selected = number
        if self._client.picture.is_scored:
            self.action_scores()
        else:
            self.action_answers(question)

    def on_history_panel_marked(self, event: HistoryPanel.Marked) -> None:
        """Compare with a round of one's choice, or with each one's parent again."""
        self._base = 0 if self._base == event.number else event.number
        name = _name(self._base) if self._base else _("its parent")
        self.notify(_("Every round is compared with {name} now.", name=name))
        self._compare()

    def action_step(self, by: int) -> None:
        """Select the round before or after."""
        rounds = sorted(self._client.picture.rounds)
        if rounds:
            now = self.selected or rounds[-1]
            self.query_one(HistoryPanel).select(min(max(now + by, rounds[0]), rounds[-1]))

    async def action_seed_and_best(self) -> None:
        """Compare the seed with the best, or the selected round with its parent."""
        self._shows_seed_and_best = not self._shows_seed_and_best
        self._compare()
        await self.query_one(PanelGrid).reveal(PANELS.index("Diff"))

    async def action_split(self) -> None:
        """Two prompts beside each other, or as one text."""
        panel = self.query_one(DiffPanel)
        panel.is_split = not panel.is_split
        await self.query_one(PanelGrid).reveal(PANELS.index("Diff"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A round has answers that are compared, or prompts that are scored."""
        if action in {"answers", "scores"}:
            return self._client.picture.is_scored == (action == "scores")
        if action == "report":
            return self._client.picture.stopped is not None and bool(self._client.picture.best)
        return super().check_action(action, parameters)

    def action_answers(self, question: int | None = None) -> None:
        """Show the selected round's answers beside those it had to beat.

        Args:
            question: The one to begin with, from 0; None for the first.
        """
        from spotui.tui.answers_screen import AnswersScreen

        screen = AnswersScreen(self._project, self._client, self.selected, question)
        self.app.push_screen(screen, self._come_back)

    def action_scores(self) -> None:
        """Show the selected round's prompts row by row, and what the optimizer was shown."""
        from spotui.tui.scores_screen import ScoresScreen

        self.app.push_screen(ScoresScreen(self._project, self._client, self.selected), self._come_back)

    def _come_back(self, number: int | None) -> None:
        self.query_one(HistoryPanel).select(number or max(self._client.picture.rounds, default=0))

    def action_try(self) -> None:
        """Try prompts on a question of the moment."""
        from spotui.tui.try_screen import TryScreen

        def keep(question: str | None) -> None:
            self._question = question or ""

        self.app.push_screen(TryScreen(self._project, self._client, self._question), keep)

    def action_copy(self) -> None:
        """Copy the prompt of the selected round."""
        from spotui.tui.export import copy_prompt

        copy_prompt(self, self._client.picture, self.chosen_round)

    def action_report(self) -> None:
        """Write the report of the run, as a page for the browser."""
        from spotui.tui.export import report

        open_by(self, report(self, self._project, self._client.picture.best), group="export")

    def show_project(self, project: Project) -> None:
        """Show another run in place of this one."""
        self.app.switch_screen(RunScreen(project))

    def action_back(self) -> None:
        """Home; the run goes on."""
        self.app.pop_screen()


def _progress_panel() -> Framed:
    from spotui.tui.run.progress_panel import ProgressPanel

    return ProgressPanel()


def _questions_panel() -> Framed:
    from spotui.tui.run.questions_panel import QuestionsPanel

    return QuestionsPanel()


def _lineage_panel() -> Framed:
    from spotui.tui.run.lineage_panel import LineagePanel

    return LineagePanel()


def _reasons_panel() -> Framed:
    from spotui.tui.run.reasons_panel import ReasonsPanel

    return ReasonsPanel()


def _name(number: int) -> str:
    return round_in_words(number)
