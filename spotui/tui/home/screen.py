"""What is open, on the first row."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from spotui.settings import locations
from spotui.tui.bindings import KeyHints
from spotui.tui.child import attempt
from spotui.tui.home.projects_panel import ProjectsPanel
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.table_view import TableView
from spotui.workspace.projects import Workspace

if TYPE_CHECKING:
    from textual.worker import WorkType

    from spotui.tui.start_dialog import Choices
    from spotui.wire.process import OwnProcess
    from spotui.workspace.projects import Project
    from spotui.workspace.race_file import RaceFolder


class TitleBar(Widget):
    """The program's name, and at the right where its projects are.

    Args:
        place: The folder of the projects.
    """

    DEFAULT_CSS = "TitleBar { height: 1; padding: 0 1; background: $panel; color: $text-muted; }"

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def render(self) -> Content:
        """Left who, right where."""
        name = Content.styled("spotui", "bold $primary")
        room = self.content_size.width - name.cell_length - 2
        place = Content(self._place).truncate(max(0, room), ellipsis=True)
        return Content.assemble(name, " " * (room + 2 - place.cell_length), place)


_LOOK_SECONDS = 2.0
_EMPTY = "No projects yet. Choose a template below and press Enter: a run of it becomes the first project."


class HomeScreen(Screen[None]):
    """Everything there is to open.

    Args:
        workspace: Where the projects are.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "undo", "undo", id="home.undo"),
        Binding("tab", "app.focus_next", "other panel", id="home.other_panel"),
        Binding("t", "tour", "tour", id="home.tour"),
        Binding("w", "welcome", "find models", id="home.welcome"),
        Binding("m", "app.models", "models", id="home.models"),
        Binding("comma", "app.settings", "settings", id="home.settings"),
        Binding("q", "app.quit", "quit", id="home.quit"),
    ]

    DEFAULT_CSS = """
    HomeScreen {
        & TableView {
            border: round $border-blurred;
            border-title-color: $text-muted;
            border-subtitle-color: $text-error;
            background: $background;
            &:focus { border: round $primary; border-title-color: $primary; }
        }
        & #projects { height: 3fr; }
        & #templates { height: 2fr; min-height: 6; }
    }
    """

    AUTO_FOCUS = "#projects"

    # As on the run's screen: the widgets concerned paint themselves.
    focused = Reactive[Widget | None](None, repaint=False)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._undo: list[tuple[str, Callable[[], object]]] = []
        self._is_read = False

    def compose(self) -> ComposeResult:
        """Projects, templates, keys."""
        yield TitleBar(locations.shown(self._workspace.root))
        projects = ProjectsPanel(self._workspace)
        projects.empty = Content(_EMPTY)
        yield projects
        yield TemplatesPanel(locations.templates_dir())
        yield KeyHints()

    def on_mount(self) -> None:
        """Read the workspace once the screen is there, and look again every now and then."""
        if self._workspace.is_empty:
            self.action_welcome()
        self.call_after_refresh(self._read_all)
        self.set_interval(_LOOK_SECONDS, self._look)

    def on_screen_resume(self) -> None:
        """Something may have happened while another screen was shown."""
        if self._is_read:
            self._read_all()

    def _read_all(self) -> None:
        self._is_read = True
        reading: WorkType[None] = self._read  # not a coroutine: somebody may leave before it begins
        self.run_worker(reading, group="read")

    async def _read(self) -> None:
        projects, templates = self.query_one(ProjectsPanel), self.query_one(TemplatesPanel)
        await projects.read()
        await templates.read()

    def _look(self) -> None:
        # Textual calls the screen below the top one current too, and paints the top one whole for it.
        if self.app.screen is self:
            looking: WorkType[None] = self.query_one(ProjectsPanel).read
            self.run_worker(looking, group="look", exclusive=True)

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Open a project, or start a run of a template."""
        if isinstance(event.table, TemplatesPanel):
            self.start_run(event.table.path_of(event.key))
        else:
            self.open_project(self._workspace.project(event.key))

    def open_project(self, project: "Project") -> None:
        """Show a project's run."""
        from spotui.tui.run.screen import RunScreen

        if self.app.screen is self:
            self.app.push_screen(RunScreen(project))
        else:  # the welcome has done its part
            self.app.switch_screen(RunScreen(project))

    def start_run(self, template: Path, choices: "Choices | None" = None, *, remembers: bool = False) -> None:
        """Ask what a run of a template should use, start it, and show it.

        Args:
            template: The template's file.
            choices: What stands in the fields at first.
            remembers: Whether the chosen model becomes that of later runs, if none was chosen before.
        """
        from spotui.tui.new_run import NewRunScreen

        screen = NewRunScreen(self._workspace, template, choices)

        def show(process: "OwnProcess | None") -> None:
            if process is None:
                return
            if remembers:
                self.run_worker(self._remember(screen.chosen), group="remember")
            self.open_project(process.project)

        self.app.push_screen(screen, show)

    async def _remember(self, chosen: "Choices") -> None:
        from spotui.tui.defaults import remember

        if not chosen.model:
            return
        was_kept = await attempt(self, remember, chosen.model, chosen.base_url)
        if was_kept:
            self.notify(f"Later runs use {chosen.model} as well, unless you choose another.", markup=False)

    def edit(self, template: Path, *, is_fixed: bool = False) -> None:
        """Edit a template's file, or look at one that comes with spotui."""
        from spotui.tui.template.screen import TemplateScreen

        if is_fixed:
            self.notify("This one comes with spotui. Duplicate it, and the copy is yours to edit.")
        self.app.push_screen(TemplateScreen(template, is_fixed=is_fixed))

    def on_templates_panel_race_wanted(self, event: TemplatesPanel.RaceWanted) -> None:
        """Ask who races, start it, and show it."""
        from spotui.tui.race import NewRaceScreen, RaceScreen

        def show(race: "RaceFolder | None") -> None:
            if race is not None:
                self.app.push_screen(RaceScreen(race))

        self.app.push_screen(NewRaceScreen(self._workspace, event.path), show)

    def on_projects_panel_race_wanted(self, event: ProjectsPanel.RaceWanted) -> None:
        """Show it, if there is one."""
        from spotui.tui.race import RaceScreen
        from spotui.workspace.race_file import race_of

        race = race_of(event.project, self._workspace)
        if race is None:
            self.notify(f"{event.project.name} is no run of a race.", markup=False)
        else:
            self.app.push_screen(RaceScreen(race))

    def on_templates_panel_edit_wanted(self, event: TemplatesPanel.EditWanted) -> None:
        """Edit it."""
        self.edit(event.path, is_fixed=event.is_fixed)

    def on_projects_panel_new_wanted(self) -> None:
        """A run starts from a template."""
        self.query_one(TemplatesPanel).focus()
        self.notify("Choose a template and press Enter.")

    def on_projects_panel_removed(self, event: ProjectsPanel.Removed) -> None:
        """Offer the way back."""
        self._offer_undo(event.name, event.undo)

    def on_templates_panel_removed(self, event: TemplatesPanel.Removed) -> None:
        """Offer the way back."""
        self._offer_undo(event.name, event.undo)

    def _offer_undo(self, name: str, undo: Callable[[], object]) -> None:
        self._undo.append((name, undo))
        self.refresh_bindings()
        self.notify(f"{name} moved to the trash. Press u to undo.", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """There may be nothing to undo."""
        return bool(self._undo) if action == "undo" else True

    def action_undo(self) -> None:
        """Bring back what was deleted last."""
        self.run_worker(self._bring_back(), group="undo")

    async def _bring_back(self) -> None:
        name, undo = self._undo.pop()
        self.refresh_bindings()
        if await attempt(self, undo) is not None:
            await self._read()
            self.query_one(ProjectsPanel).select(name)
            self.query_one(TemplatesPanel).select_named(name)

    def action_welcome(self) -> None:
        """Show what can be used here."""
        from spotui.tui.home.welcome import WelcomeScreen

        self.app.push_screen(WelcomeScreen(self))

    def action_tour(self) -> None:
        """Show a recorded run."""
        from spotui.tui.run.client import TourClient
        from spotui.tui.run.screen import RunScreen

        client = TourClient()
        self.app.push_screen(RunScreen(client.project, client))
